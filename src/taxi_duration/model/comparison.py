"""Two predictors on the same trips: which is better, how surely, and where it is not."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from taxi_duration.model.features import Floats

RESAMPLES: Final = 2_000
# With fewer days than this, hours are drawn instead: of few blocks, few samples can be made.
_LEAST_DAYS: Final = 10


class Gain(NamedTuple):
    """Minutes of MAE by which a predictor is better than its rival; negative where it is worse.

    `least` is the lower end of the gain: it is greater with the confidence that was asked for.
    """

    minutes: float
    least: float


class SegmentFigures(msgspec.Struct, frozen=True):
    """A predictor and its rival on the trips of one segment, MAE in minutes."""

    name: str
    trips: int
    mae: float
    rival_mae: float
    # Share of the trips inside the predictor's interval.
    coverage_80: float

    @property
    def worse(self) -> float:
        """By what share of the rival's MAE the predictor's is greater; negative: it is smaller."""
        return self.mae / self.rival_mae - 1 if self.rival_mae else 0.0


def paired_gain(
    rival_errors: Floats,
    errors: Floats,
    start: NDArray[np.datetime64],
    *,
    confidence: float,
    seed: int,
) -> Gain:
    """The gain on n trips, from absolute errors of both in minutes, (n,), and their starts, (n,).

    A paired bootstrap, one-sided by percentiles (Efron and Tibshirani, 1993, "An Introduction to
    the Bootstrap", chapter 13). It draws whole days, as the trips of one day share their weather
    and traffic: drawn one by one they would make any difference look surer than it is.
    """
    block = _blocks(start)
    differences = np.bincount(block, rival_errors - errors)
    trips = np.bincount(block).astype(np.float64)
    count = len(trips)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    gains = (drawn @ differences) / (drawn @ trips)
    return Gain(float(differences.sum() / trips.sum()), float(np.quantile(gains, 1 - confidence)))


def by_segment(
    minutes: Floats,
    answers: Floats,
    rival: Floats,
    segments: Mapping[str, NDArray[np.bool_]],
    least_trips: int,
) -> list[SegmentFigures]:
    """Both predictors in each segment that has `least_trips` or more of n trips.

    `minutes` and the `rival`'s predictions have the shape (n,), `answers` (lower, prediction,
    upper) that of (n, 3).
    """
    errors, rival_errors = np.abs(answers[:, 1] - minutes), np.abs(rival - minutes)
    held = (answers[:, 0] <= minutes) & (minutes <= answers[:, 2])
    return [
        SegmentFigures(
            name=name,
            trips=int(mask.sum()),
            mae=float(errors[mask].mean()),
            rival_mae=float(rival_errors[mask].mean()),
            coverage_80=float(held[mask].mean()),
        )
        for name, mask in segments.items()
        if mask.sum() >= max(least_trips, 1)
    ]


def _blocks(start: NDArray[np.datetime64]) -> NDArray[np.intp]:
    """The number of each trip's day, or of its hour where there are few days, of shape (n,)."""
    days, block = np.unique(start.astype("datetime64[D]"), return_inverse=True)
    if len(days) < _LEAST_DAYS:
        _, block = np.unique(start.astype("datetime64[h]"), return_inverse=True)
    return np.asarray(block)
