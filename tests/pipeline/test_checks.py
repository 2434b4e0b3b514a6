from typing import Any

import pyarrow as pa
import pytest

from monitored import with_own_bucket
from taxi_duration.pipeline import checks
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.clean import CleanMonth
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import TRIP_SCHEMA

CLEANED = {"history": ["2019-01", "2019-02"], "trips": {"2019-01": 6, "2019-02": 4, "2019-03": 90}}


@pytest.mark.parametrize(("least", "enough"), [(10, True), (11, False)])
def test_only_the_months_of_history_count_for_training(
    least: int, enough: bool, tmp_path: Any
) -> None:
    settings = Settings(home=tmp_path, min_training_trips=least)
    assert checks.enough_trips(settings, CLEANED) is enough


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    return with_own_bucket(backends)


@pytest.fixture(scope="module")
def storage(settings: Settings) -> Storage:
    return Storage.from_settings(settings)


@pytest.mark.stack
def test_the_lake_is_asked_for_what_it_holds_of_the_months(
    settings: Settings, storage: Storage
) -> None:
    month = Month.parse("2019-01")
    lake = Lake(storage, "simulated")
    version = lake.replace_month(month, trips_of(month, [90.0, 600.0, 3_000.0]))
    cleaned = {"source": "simulated", "trips": {"2019-01": 3, "2019-02": 9}}
    assert checks.stored_trips(settings, cleaned) == {"2019-01": 3, "2019-02": 0}
    cleaned |= {"trips": {"2019-01": 3}, "lake": {"version": version}}
    assert checks.durations(settings, cleaned) == (1.5, 50.0)


def trips_of(month: Month, seconds: list[float]) -> CleanMonth:
    columns = {
        "trip_id": [str(number) for number in range(len(seconds))],
        "trip_start_timestamp": [month.start] * len(seconds),
        "trip_seconds": seconds,
    }
    nothing = [None] * len(seconds)
    trips = pa.table([columns.get(name, nothing) for name in TRIP_SCHEMA.names], schema=TRIP_SCHEMA)
    refused = trips.slice(0, 0).append_column("reason", pa.array([], pa.string()))
    return CleanMonth(month, trips, refused, {})
