"""What is scored, and by what: trips of the run's lake, a version's model, the floor table."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import NoTripsError
from taxi_duration.model.baselines import fit_floor
from taxi_duration.model.dataset import Sample, target_minutes, trip_features
from taxi_duration.model.features import Floats
from taxi_duration.monitoring.columns import sample_by_day
from taxi_duration.monitoring.scoring import TRIP_COLUMNS, Predict, without_interval
from taxi_duration.registry import champion
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month

# Medians by pair, weekend and hour move little beyond so many trips, and the features of all trips
# of two full months would take more than a gigabyte.
FLOOR_TRIPS: Final = 500_000


def month_trips(storage: Storage, cleaned: dict[str, Any]) -> pa.Table:
    """The trips of the run's month, in TRIP_COLUMNS."""
    return _trips(storage, cleaned, [cleaned["month"]])


def reference_trips(storage: Storage, cleaned: dict[str, Any], months: Sequence[str]) -> pa.Table:
    """The trips of the months that the run's month is compared with, in TRIP_COLUMNS.

    Raises NoTripsError where one is not in the lake.
    """
    try:
        return _trips(storage, cleaned, months)
    except NoTripsError as error:
        raise NoTripsError(
            f"The reference of {cleaned['month']} ({', '.join(months)}) cannot be read:"
            f" {error.cause}",
            "Run the pipeline for the months that are missing.",
        ) from error


def model_of(settings: Settings, version: ModelVersion) -> Predict:
    """What a registered version answers."""
    model = champion.load(settings, version)
    return lambda trips: model.predict(trip_features(trips))


def floor_of(reference: pa.Table, seed: int) -> Callable[[pa.Table], Floats]:
    """What the floor table of these trips answers, minutes, of shape (n,)."""
    known = sample_by_day(reference, FLOOR_TRIPS, seed)
    floor = fit_floor(Sample(trip_features(known), target_minutes(known)))
    return lambda trips: floor.predict(trip_features(trips))


def predicted_by(floor: Callable[[pa.Table], Floats]) -> Predict:
    """The floor in the place of a model: it answers no interval."""
    return lambda trips: without_interval(floor(trips))


def _trips(storage: Storage, cleaned: dict[str, Any], months: Sequence[str]) -> pa.Table:
    return Lake(storage, cleaned["source"]).read(
        [Month.parse(month) for month in months],
        version=cleaned["lake"]["version"],
        columns=TRIP_COLUMNS,
    )
