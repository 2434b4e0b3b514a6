"""What the steps of the training branch hand each other through S3: features and predictions."""

import hashlib
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from taxi_duration.model.dataset import Sample, target_minutes, trip_features
from taxi_duration.model.features import FEATURES, Floats
from taxi_duration.model.split import Split
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

TRAIN, CALIBRATION, TEST = PARTS = ("train", "calibration", "test")
MINUTES: Final = "minutes"
_PART: Final = "part"
# What tells the segment of a trip.
START, PICKUP, DROPOFF = _REQUEST = (
    "trip_start_timestamp",
    "pickup_community_area",
    "dropoff_community_area",
)


class LaterTrips(NamedTuple):
    """The n trips that decide: their sample, and areas (NaN: unknown) and starts, of shape (n,)."""

    sample: Sample
    pickup: Floats
    dropoff: Floats
    start: NDArray[np.datetime64]

    @property
    def sha256(self) -> str:
        """The same for the same features and durations in the same order."""
        found = hashlib.sha256(np.ascontiguousarray(self.sample.features).tobytes())
        found.update(self.sample.minutes.tobytes())
        return found.hexdigest()


def write_features(
    settings: Settings, cleaned: dict[str, Any], trips: pa.Table, split: Split
) -> str:
    """Store features, duration in minutes and part of each trip; returns the URI."""
    columns = dict(zip(FEATURES, trip_features(trips).T, strict=True))
    part = np.select([split.train, split.calibration], [TRAIN, CALIBRATION], TEST)
    request = {name: trips[name] for name in _REQUEST}
    table = pa.table({**columns, **request, MINUTES: target_minutes(trips), _PART: part})
    return Storage.from_settings(settings).write_table(_key(cleaned, "features"), table)


def read_parts(settings: Settings, built: dict[str, Any]) -> dict[str, Sample]:
    """The trips of each part."""
    table = _read(settings, built["features"]["uri"])
    return {name: _sample(table.filter(pc.field(_PART) == name)) for name in PARTS}


def read_later_trips(settings: Settings, built: dict[str, Any]) -> LaterTrips:
    """The test part, with what tells the segments of its trips."""
    table = _read(settings, built["features"]["uri"]).filter(pc.field(_PART) == TEST)
    pickup, dropoff = (_column(table, name) for name in (PICKUP, DROPOFF))
    return LaterTrips(_sample(table), pickup, dropoff, table[START].to_numpy())


def write_predictions(
    settings: Settings, built: dict[str, Any], predictions: dict[str, Floats]
) -> str:
    """Store columns of the test trips, in their order; returns the URI."""
    table = pa.table(predictions)
    return Storage.from_settings(settings).write_table(_key(built, "predictions"), table)


def read_predictions(settings: Settings, trained: dict[str, Any]) -> dict[str, Floats]:
    """The columns that `write_predictions` stored."""
    table = _read(settings, trained["predictions"])
    return {name: _column(table, name) for name in table.column_names}


def _key(cleaned: dict[str, Any], name: str) -> str:
    """Where a run of these months keeps a table; the same run writes the same place again."""
    months = f"{cleaned['history'][0]}_{cleaned['month']}"
    return f"training/{cleaned['source']}/{months}/v{cleaned['lake']['version']}/{name}.parquet"


def _read(settings: Settings, uri: str) -> pa.Table:
    storage = Storage.from_settings(settings)
    return storage.read_table(storage.key(uri))


def _sample(table: pa.Table) -> Sample:
    features = np.column_stack([_column(table, name) for name in FEATURES])
    return Sample(features, _column(table, MINUTES))


def _column(table: pa.Table, name: str) -> Floats:
    return np.asarray(table[name].to_numpy(), dtype=np.float64)
