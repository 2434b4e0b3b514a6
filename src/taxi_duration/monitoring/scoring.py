"""Trips with what a model says of them, as they travel between the steps of the drift branch."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa

from taxi_duration.model.features import Floats

TRIP_COLUMNS: Final = (
    "trip_start_timestamp",
    "pickup_community_area",
    "dropoff_community_area",
    "trip_miles",
    "trip_seconds",
)
PREDICTED: Final = ("lower", "prediction", "upper")
# What the floor table says of a trip, minutes: the measure of what a prediction is worth.
FLOOR_COLUMN: Final = "floor"
# Rows scored at a time: the features of a month of five million trips would take half a gigabyte.
BATCH: Final = 500_000

# Lower, prediction and upper in minutes, of shape (n, 3), for n trips.
Predict = Callable[[pa.Table], Floats]


def score(trips: pa.Table, predict: Predict) -> pa.Table:
    """The trips with the columns `lower`, `prediction` and `upper` in minutes."""
    starts = range(0, trips.num_rows, BATCH)
    minutes = [np.empty((0, 3)), *(predict(trips.slice(start, BATCH)) for start in starts)]
    for name, values in zip(PREDICTED, np.concatenate(minutes).T, strict=True):
        trips = trips.append_column(name, pa.array(values, from_pandas=True))
    return trips


def score_by_floor(trips: pa.Table, floor: Callable[[pa.Table], Floats]) -> pa.Table:
    """The trips with the column `floor`: what the floor table says, minutes."""
    starts = range(0, trips.num_rows, BATCH)
    minutes = [np.empty(0), *(floor(trips.slice(start, BATCH)) for start in starts)]
    return trips.append_column(FLOOR_COLUMN, pa.array(np.concatenate(minutes)))


def without_interval(minutes: Floats) -> Floats:
    """Predictions of shape (n,) as `score` wants them: NaN, and so missing, at either side."""
    nothing = np.full_like(minutes, np.nan)
    return np.column_stack([nothing, minutes, nothing])
