"""The first steps of a run: the months it needs, raw in S3, then clean in the lake."""

import logging
from typing import Any

from taxi_duration.errors import SettingsError
from taxi_duration.pipeline.variables import RunVariables
from taxi_duration.registry.champion import champion
from taxi_duration.settings import Settings
from taxi_duration.simulation.source import DRILL
from taxi_duration.storage import Storage
from taxi_duration.trips.city_api import CityApi, LoadedMonth
from taxi_duration.trips.clean import CleanMonth, clean
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month

log = logging.getLogger(__name__)


def load_trips(settings: Settings, variables: RunVariables) -> dict[str, Any]:
    """Loads the run's month, and those months of its history that are not there as asked for.

    Each raw month is replaced whole or not at all; where one cannot be loaded, the run ends with
    CityApiError or NoTripsError and what was there before stays. Returns what the steps after it
    share: source, months, cap, seed, the rows of each month, and the version of the model that
    serves at this moment, which the drift report judges whichever branch runs first.

    A retraining has the run's month in its history as well: what drifted is what is to be learned.
    Raises SettingsError where a drill gets other trips, or another run a drill's.
    """
    serving = champion(settings)
    api = CityApi.from_settings(variables.apply(settings))
    month = _month(api, variables)
    loaded = api.load_month(month, variables.cap, progress=True)
    _check_drill(loaded, variables)
    lake = Lake(Storage.from_settings(settings), loaded.source)
    lake.write_raw(loaded)
    before = (month - variables.history).to(month - 1)
    for earlier in before:
        if lake.raw_made_from(earlier) == (loaded.asked, loaded.origin):
            log.info("%s is there already, of the same origin and cap", earlier)
        else:
            lake.write_raw(api.load_month(earlier, variables.cap, progress=True))
    rows = {str(each): lake.raw_rows(each) for each in [*before, month]}
    log.info("Raw trips of %s: %s; asked for: %s", loaded.source, rows, variables.cap or "all")
    return {
        "source": loaded.source,
        "month": str(month),
        "history": [str(each) for each in (*before, *([month] if variables.retraining else []))],
        "asked": variables.cap,
        "seed": variables.seed,
        "replace_source": variables.replace_source,
        "search": {"trials": variables.search_trials, "seconds": variables.search_seconds},
        "retraining": variables.retraining,
        "drill": variables.drill,
        "city_api": variables.city_api,
        "rows": rows,
        "champion": serving.version if serving else "",
    }


def clean_trips(settings: Settings, loaded: dict[str, Any]) -> dict[str, Any]:
    """Replaces each month in the lake by its clean trips; the rest goes to the quarantine.

    A month that has to be refused (TooManyBadTripsError) ends the run and stays in the lake as it
    was. Adds the table's address and version, and the counts of trips and of reasons by month.
    """
    lake = Lake(Storage.from_settings(settings), loaded["source"])
    version, trips, quarantined = 0, {}, {}
    for name in loaded["rows"]:
        month = _clean_month(settings, lake, Month.parse(name))
        version = lake.replace_month(month.month, month)
        trips[name], quarantined[name] = month.trips.num_rows, month.reasons
        log.info("%s: %d trips; quarantined: %s", name, trips[name], quarantined[name] or "none")
    return {
        **loaded,
        "lake": {"uri": lake.uri, "version": version},
        "trips": trips,
        "quarantined": quarantined,
    }


def _month(api: CityApi, variables: RunVariables) -> Month:
    """The month that was asked for, else the last one that is over and published."""
    if variables.month:
        return Month.parse(variables.month)
    return min(api.latest_month(), variables.due_month)


def _check_drill(loaded: LoadedMonth, variables: RunVariables) -> None:
    if variables.drill != (loaded.source == DRILL):
        raise SettingsError(
            f"The run is {'a' if variables.drill else 'no'} drill, and its trips are"
            f" {loaded.source} ones.",
            "`taxi drill` gives a run both.",
        )


def _clean_month(settings: Settings, lake: Lake, month: Month) -> CleanMonth:
    return clean(
        lake.read_raw(month),
        month,
        min_minutes=settings.min_minutes,
        max_minutes=settings.max_minutes,
        max_bad_share=settings.max_bad_share,
    )
