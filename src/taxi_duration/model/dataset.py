"""Trips as arrays: the features from the columns of a request, the target from the duration."""

from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from taxi_duration.model.features import Floats, feature_matrix
from taxi_duration.trips.schema import REQUEST_COLUMNS


class Sample(NamedTuple):
    """n trips: features of shape (n, len(FEATURES)) and real durations in minutes, (n,)."""

    features: Floats
    minutes: Floats

    @classmethod
    def join(cls, *samples: Self) -> Self:
        """The trips of all samples, in order."""
        return cls(
            np.vstack([sample.features for sample in samples]),
            np.concatenate([sample.minutes for sample in samples]),
        )

    def only(self, rows: NDArray[np.bool_]) -> Self:
        """The trips where `rows`, of shape (n,), holds."""
        return self._replace(features=self.features[rows], minutes=self.minutes[rows])


def trip_features(trips: pa.Table) -> Floats:
    """The features of n trips, of shape (n, len(FEATURES)).

    Reads no other columns than REQUEST_COLUMNS: what became known later cannot reach a feature.
    """
    known = trips.select([name for name in trips.column_names if name in REQUEST_COLUMNS])
    return feature_matrix(
        float_column(known["pickup_community_area"]),
        float_column(known["dropoff_community_area"]),
        known["trip_start_timestamp"].to_numpy(),
    )


def target_minutes(trips: pa.Table) -> Floats:
    """How long each trip took, in minutes, of shape (n,)."""
    seconds: Floats = pc.cast(trips["trip_seconds"], pa.float64()).to_numpy()
    return seconds / 60


def float_column(column: pa.ChunkedArray) -> Floats:
    """A column of numbers, of shape (n,): what is null in Arrow is NaN in an array."""
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)
