"""For the tests of outcomes and of live traffic: a lake, a model, and predictions in the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
from sqlalchemy import insert

from monitored import with_own_bucket, with_own_database
from registered import own_model
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.monitoring.tables import predictions
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.city_api import LoadedMonth
from taxi_duration.trips.clean import QUARANTINE_SCHEMA, CleanMonth
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from trips_factory import make_trips

MONTHS = ["2019-01", "2019-02", "2019-03"]
TRIPS = 1_500


@contextmanager
def months_in_a_lake(backends: Settings, home: Path) -> Iterator[Settings]:
    """Three months of trips in a lake of simulated ones, and a database and a model of their own.

    The lake is at version 3 then, which is the one that `trips_factory.small_model` names.
    """
    own = own_model(with_own_bucket(backends)).model_copy(update={"home": home})
    with with_own_database(own) as settings:
        upgrade(settings)
        lake = Lake(Storage.from_settings(settings), "simulated")
        for name in MONTHS:
            month, trips = Month.parse(name), make_trips(name, TRIPS)
            lake.write_raw(LoadedMonth(month, trips, "simulated", asked=2_000, origin="test"))
            lake.replace_month(month, CleanMonth(month, trips, QUARANTINE_SCHEMA.empty_table(), {}))
        yield settings


def cleaned(settings: Settings, champion: str = "") -> dict[str, Any]:
    """What `clean_trips` hands on for the last of the months."""
    lake = Lake(Storage.from_settings(settings), "simulated")
    return {
        "source": "simulated",
        "month": MONTHS[-1],
        "history": MONTHS[:-1],
        "asked": 2_000,
        "seed": 42,
        "champion": champion,
        "rows": dict.fromkeys(MONTHS, TRIPS + 3),
        "lake": {"uri": lake.uri, "version": lake.version()},
        "trips": dict.fromkeys(MONTHS, TRIPS),
        "quarantined": {MONTHS[0]: {}, MONTHS[1]: {}, MONTHS[2]: {"too_short": 2, "duplicate": 1}},
    }


def log_trips(settings: Settings, trips: pa.Table, at: datetime, **changes: Any) -> None:
    """Log a prediction of ten minutes of each trip, each a request of its own of 20 ms."""
    log(settings, [_row(trip, at) | changes for trip in trips.to_pylist()])


def log(settings: Settings, rows: list[dict[str, Any]]) -> None:
    """Log rows as they are; what they leave out is that of a trip in the Loop."""
    start = datetime(2019, 3, 10, 12)
    usual = _row({"trip_id": None, "trip_start_timestamp": start}, start + timedelta(days=1))
    with connect(settings) as connection:
        connection.execute(insert(predictions), [usual | {"id": uuid4()} | row for row in rows])


def place_in_request(request: UUID, place: int) -> UUID:
    """The id of a request's trip, as the service makes it."""
    return UUID(request.hex[:26] + f"{place:06x}")


def _row(trip: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "role": "champion",
        "predicted_at": at,
        "trip_id": trip["trip_id"],
        "pickup_community_area": trip.get("pickup_community_area", 32),
        "dropoff_community_area": trip.get("dropoff_community_area", 32),
        "trip_start_timestamp": trip["trip_start_timestamp"],
        "prediction": trip.get("prediction", 10.0),
        "lower": 8.0,
        "upper": 14.0,
        "model_version": "1",
        "run_id": "run",
        "latency_seconds": 0.02,
    }
