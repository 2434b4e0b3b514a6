"""How well the predictions met the real durations, over all scored trips."""

import msgspec
import numpy as np
import pyarrow as pa

from taxi_duration.model.dataset import target_minutes
from taxi_duration.model.features import Floats
from taxi_duration.model.metrics import interval_metrics, late_share, point_metrics
from taxi_duration.monitoring.scoring import FLOOR_COLUMN


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
    # None: not measured, as in reports of before these were.
    late_5: float | None = None
    floor_mae: float | None = None


def performance(scored: pa.Table) -> Performance:
    """The figures of scored trips (`trip_seconds`, `lower`, `prediction`, `upper`, `floor`).

    Without a column `floor` its error is not measured.
    """
    minutes, predicted = target_minutes(scored), scored["prediction"].to_numpy()
    return Performance(
        trips=scored.num_rows,
        bias=float((predicted - minutes).mean()),
        **point_metrics(minutes, predicted),
        late_5=late_share(minutes, predicted),
        floor_mae=_floor_mae(scored, minutes),
        **_interval(scored, minutes),
    )


def _floor_mae(scored: pa.Table, minutes: Floats) -> float | None:
    if FLOOR_COLUMN not in scored.column_names:
        return None
    return float(np.abs(scored[FLOOR_COLUMN].to_numpy() - minutes).mean())


def _interval(scored: pa.Table, minutes: Floats) -> dict[str, float]:
    lower, upper = scored["lower"], scored["upper"]
    if lower.null_count:
        return {}
    return interval_metrics(minutes, lower.to_numpy(), upper.to_numpy())
