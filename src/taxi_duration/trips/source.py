"""Where trips come from: the City, or the stand-in for it."""

import logging
from threading import Thread
from typing import Final

import httpx

from taxi_duration.errors import SettingsError
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

CITY_URL: Final = "https://data.cityofchicago.org"
PROBE_SECONDS: Final = 3


def city_api_url(settings: Settings) -> str:
    """The address that `TAXI_CITY_API` means.

    `auto` is the City where it answers within 3 s, else the stand-in, which is said as a warning.
    Raises SettingsError for what is neither a known word nor an http address.
    """
    stand_in = settings.city_stand_in or f"http://{settings.host}:{settings.city_api_port}"
    match settings.city_api.strip():
        case "city":
            return CITY_URL
        case "simulated":
            return stand_in
        case "auto":
            return CITY_URL if answers(CITY_URL) else _fall_back(stand_in)
        case str(url) if url.startswith(("http://", "https://")):
            return url.rstrip("/")
        case other:
            raise SettingsError(
                f"TAXI_CITY_API is {other!r}.",
                "Set it to auto, city, simulated or an http address.",
            )


def answers(url: str, seconds: float = PROBE_SECONDS) -> bool:
    """Whether a SODA server answers at `url` in time; looking up its name counts as well."""
    found: list[bool] = []
    # Nothing can interrupt a name look-up, so a thread makes it that nobody waits for.
    probe = Thread(target=lambda: found.append(_probe(url, seconds)), daemon=True)
    probe.start()
    probe.join(seconds)
    return found == [True]


def _probe(url: str, seconds: float) -> bool:
    try:
        answer = httpx.get(
            f"{url}/resource/ajtu-isnz.json",
            params={"$select": "trip_id", "$limit": "1"},
            timeout=seconds,
        )
        # A gateway that asks for a sign-in answers 200 with a page of its own.
        return answer.status_code == httpx.codes.OK and isinstance(answer.json(), list)
    except (httpx.HTTPError, ValueError) as error:
        log.info("%s does not answer: %s", url, error)
        return False


def _fall_back(stand_in: str) -> str:
    log.warning(
        "THE CITY'S API CANNOT BE REACHED: trips come from the stand-in at %s, and all that is"
        " made from them says so. TAXI_CITY_API=city forces the City.",
        stand_in,
    )
    return stand_in
