"""What every row says: counts, missing values, means and quantiles, by Arrow."""

from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from taxi_duration.monitoring.columns import NUMBERS

QUANTILES: Final = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


class ColumnQuality(msgspec.Struct, frozen=True, kw_only=True):
    """One column over all rows; the figures of numbers are None for a category."""

    column_name: str
    trips: int
    missing: int
    missing_share: float
    distinct_values: int
    mean: float | None = None
    std: float | None = None
    p05: float | None = None
    p25: float | None = None
    p50: float | None = None
    p75: float | None = None
    p95: float | None = None


def data_quality(columns: pa.Table) -> list[ColumnQuality]:
    """The figures of each of the compared columns; shares are 0 to 1."""
    return [_quality(name, columns[name]) for name in columns.column_names]


def _quality(name: str, column: pa.ChunkedArray) -> ColumnQuality:
    return ColumnQuality(
        column_name=name,
        trips=len(column),
        missing=column.null_count,
        missing_share=column.null_count / max(len(column), 1),
        distinct_values=pc.count_distinct(column).as_py(),
        **(_statistics(column) if name in NUMBERS else {}),
    )


def _statistics(column: pa.ChunkedArray) -> dict[str, float | None]:
    quantiles = pc.quantile(column, q=list(QUANTILES.values())).to_pylist()
    return {
        "mean": pc.mean(column).as_py(),
        "std": pc.stddev(column).as_py(),
        **dict(zip(QUANTILES, quantiles, strict=True)),
    }
