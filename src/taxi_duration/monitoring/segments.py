"""How well the predictions met the real durations in each segment, over all scored trips."""

from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from taxi_duration.model.dataset import float_column, target_minutes
from taxi_duration.model.features import Floats
from taxi_duration.model.metrics import CLOSE_MINUTES
from taxi_duration.model.segments import segments
from taxi_duration.monitoring.scoring import FLOOR_COLUMN

ALL: Final = "all"
# Trips at a time: the features that tell the segments take 144 bytes a trip.
BATCH: Final = 250_000


class SegmentPerformance(msgspec.Struct, frozen=True, kw_only=True):
    """One segment: errors in minutes, shares from 0 to 1; None where nothing of it was predicted.

    All are means, so that they can be summed up in batches.
    """

    segment: str
    trips: int
    mae: float
    mape: float
    bias: float
    within_5: float
    coverage_80: float | None
    interval_width: float | None
    late_5: float
    floor_mae: float | None


_MEANS: Final = SegmentPerformance.__struct_fields__[2:]


def segment_performance(scored: pa.Table) -> list[SegmentPerformance]:
    """The figures of each segment that has trips, and of `all` of them.

    Segments are those of `model.segments`; they overlap. `scored` is as `performance` takes it.
    """
    names: list[str] = []
    sums = np.zeros((1, 1 + len(_MEANS)))
    for start in range(0, scored.num_rows, BATCH):
        batch = scored.slice(start, BATCH)
        masks = _masks(batch)
        names = list(masks)
        sums = sums + np.stack([*masks.values()]).astype(np.float64) @ _figures(batch)
    return [_segment(name, row) for name, row in zip(names, sums, strict=False) if row[0]]


def _masks(trips: pa.Table) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    found = segments(
        float_column(trips["pickup_community_area"]),
        float_column(trips["dropoff_community_area"]),
        trips["trip_start_timestamp"].to_numpy(),
    )
    return {ALL: np.ones(trips.num_rows, dtype=np.bool_), **found}


def _figures(trips: pa.Table) -> Floats:
    """For each trip 1 and its part of each mean, of shape (n, 9).

    What was not predicted is NaN in all rows, or in none.
    """
    minutes, predicted = target_minutes(trips), float_column(trips["prediction"])
    lower, upper = float_column(trips["lower"]), float_column(trips["upper"])
    error = predicted - minutes
    missing = np.isnan(lower) | np.isnan(upper)
    held = np.where(missing, np.nan, (lower <= minutes) & (minutes <= upper))
    floor = np.full(len(minutes), np.nan)
    if FLOOR_COLUMN in trips.column_names:
        floor = np.abs(float_column(trips[FLOOR_COLUMN]) - minutes)
    columns = {
        "mae": np.abs(error),
        "mape": np.abs(error) / minutes,
        "bias": error,
        "within_5": np.abs(error) <= CLOSE_MINUTES,
        "coverage_80": held,
        "interval_width": upper - lower,
        "late_5": -error >= CLOSE_MINUTES,
        "floor_mae": floor,
    }
    return np.column_stack([np.ones(len(minutes)), *(columns[name] for name in _MEANS)])


def _segment(name: str, sums: Floats) -> SegmentPerformance:
    means = dict(zip(_MEANS, (sums[1:] / sums[0]).tolist(), strict=True))
    told: dict[str, Any] = {key: None if np.isnan(value) else value for key, value in means.items()}
    return SegmentPerformance(segment=name, trips=int(sums[0]), **told)
