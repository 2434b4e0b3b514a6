"""How far the current trips are from the reference: Evidently's report and its figures."""

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from taxi_duration.monitoring.columns import CATEGORIES, NUMBERS, PREDICTION, TARGET, labelled
from taxi_duration.monitoring.figures import ColumnDrift

if TYPE_CHECKING:
    from evidently import Dataset
    from evidently.core.report import Snapshot

# The distance that counts as drift, for both methods; 0.1 is Evidently's own default.
DISTANCE: Final = 0.1


@dataclass(frozen=True)
class Comparison:
    """What Evidently found: its page, all its figures, and the drift of each column."""

    columns: list[ColumnDrift]
    html: str
    evidently: dict[str, Any]


def compare(reference: pa.Table, current: pa.Table, drift_share: float) -> Comparison:
    """Compare two tables of `monitoring.columns`; `drift_share` is only shown.

    Where they have the real durations, the page shows errors as well.

    A column without any value on one side is left out: its missing share says it all.
    """
    names = [name for name in current.column_names if _has_values(name, reference, current)]
    reference, current = labelled(reference.select(names)), labelled(current.select(names))
    snapshot = _report(reference, current, drift_share)
    found = snapshot.dict()
    return Comparison(_column_drift(found), snapshot.get_html_str(as_iframe=False), found)


def thresholds(reference: pa.Table, current: pa.Table) -> dict[str, float]:
    """The distance from which each labelled column counts as drifted.

    Two samples of the same trips are some way apart as well, the more so the smaller they are, and
    squares of distances add up. So the square is raised by what chance rarely exceeds (two standard
    deviations): the squared Jensen-Shannon distance over k categories is about chi-squared with
    k - 1 degrees of freedom times (1/n + 1/m)/8; the Wasserstein distance in standard deviations
    is about the difference of two means, whose variance is 1/n + 1/m.
    """
    unit = 1 / reference.num_rows + 1 / current.num_rows
    limits = {}
    for name in current.column_names:
        noise = 4 * unit
        if name in CATEGORIES:
            freedom = _categories(reference[name], current[name]) - 1
            noise = (freedom + 2 * math.sqrt(2 * freedom)) * unit / 8
        limits[name] = round(math.sqrt(DISTANCE**2 + noise), 4)
    return limits


def _categories(*columns: pa.ChunkedArray) -> int:
    return len(set().union(*(pc.unique(column).to_pylist() for column in columns)))


def _has_values(name: str, *tables: pa.Table) -> bool:
    return all(table[name].null_count < table.num_rows for table in tables)


def _report(reference: pa.Table, current: pa.Table, drift_share: float) -> "Snapshot":
    with warnings.catch_warnings():
        # Evidently imports its UI server, which uses names that litestar has deprecated. All that
        # takes seconds, which only those wait for who want a report.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"litestar\.")
        from evidently import Report
        from evidently.presets import DataDriftPreset, DataSummaryPreset, RegressionPreset
        from sklearn.exceptions import UndefinedMetricWarning
    presets: list[Any] = [
        DataDriftPreset(
            cat_method="jensenshannon",
            num_method="wasserstein",
            per_column_threshold=thresholds(reference, current),
            drift_share=drift_share,
        ),
        DataSummaryPreset(),
    ]
    if TARGET in current.column_names:
        presets.append(RegressionPreset())
    with warnings.catch_warnings():
        # Evidently scores bins of the target, some of which hold a single trip.
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        # It correlates columns, of which one may have a single value.
        warnings.filterwarnings("ignore", "invalid value encountered", RuntimeWarning)
        return Report(presets).run(_dataset(current), _dataset(reference))


def _dataset(columns: pa.Table) -> "Dataset":
    from evidently import DataDefinition, Dataset, Regression

    names = columns.column_names
    definition = DataDefinition(
        categorical_columns=[name for name in CATEGORIES if name in names],
        numerical_columns=[name for name in NUMBERS if name in names],
        regression=[Regression(target=TARGET, prediction=PREDICTION)] if TARGET in names else None,
    )
    return Dataset.from_pandas(columns.to_pandas(), definition)


def _column_drift(found: dict[str, Any]) -> list[ColumnDrift]:
    drifts = [
        ColumnDrift(
            column_name=metric["config"]["column"],
            method=metric["config"]["method"],
            score=float(metric["value"]),
            threshold=metric["config"]["threshold"],
            # Both methods are distances: more is further apart.
            drifted=bool(metric["value"] >= metric["config"]["threshold"]),
        )
        for metric in found["metrics"]
        if metric["config"]["type"].endswith(":ValueDrift")
    ]
    return sorted(drifts, key=lambda drift: (-drift.score / drift.threshold, drift.column_name))
