"""Where the trips of a stack come from, decided once when it starts."""

from typing import Final

from taxi_duration.settings import Settings

SIMULATED: Final = """\
*** The trips are SIMULATED: they come from the stand-in, not from the City of Chicago. ***
*** All that is made from them (lake, runs, model, reports) says source=simulated.      ***
*** TAXI_CITY_API=auto takes the City where it answers in time; =city insists on it.    ***"""


def decide_source(settings: Settings) -> Settings:
    """`settings` with `auto` replaced by what it comes to now: `city` or `simulated`.

    The parts are started with that, so that what is said at the start stays true.
    """
    if settings.city_api != "auto":
        return settings
    from taxi_duration.trips.source import CITY_URL, answers  # noqa: PLC0415  only a start needs it

    return settings.model_copy(update={"city_api": "city" if answers(CITY_URL) else "simulated"})
