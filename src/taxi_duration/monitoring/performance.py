"""How well the predictions met the real durations, over all scored trips."""

import msgspec
import pyarrow as pa

from taxi_duration.model.dataset import target_minutes
from taxi_duration.model.features import Floats
from taxi_duration.model.metrics import interval_metrics, point_metrics


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """Errors in minutes and shares from 0 to 1; None where no interval was predicted."""

    trips: int
    mae: float
    rmse: float
    mape: float
    median_error: float
    # Mean of prediction minus real duration.
    bias: float
    within_5: float
    coverage_80: float | None = None
    interval_width: float | None = None


def performance(scored: pa.Table) -> Performance:
    """The figures of scored trips (`trip_seconds`, `lower`, `prediction`, `upper`)."""
    minutes, predicted = target_minutes(scored), scored["prediction"].to_numpy()
    return Performance(
        trips=scored.num_rows,
        bias=float((predicted - minutes).mean()),
        **point_metrics(minutes, predicted),
        **_interval(scored, minutes),
    )


def _interval(scored: pa.Table, minutes: Floats) -> dict[str, float]:
    lower, upper = scored["lower"], scored["upper"]
    if lower.null_count:
        return {}
    return interval_metrics(minutes, lower.to_numpy(), upper.to_numpy())
