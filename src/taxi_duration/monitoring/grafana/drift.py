"""The dashboard *Drift*: how each month's trips differ from those that the model was trained on."""

from typing import Final

from taxi_duration.monitoring.grafana import truth
from taxi_duration.monitoring.grafana.parts import (
    Json,
    dashboard,
    lines,
    series,
    source_variable,
    sql,
    stat,
    steps,
    table,
)
from taxi_duration.settings import Settings

DRIFT_SHARE: Final = float(Settings.model_fields["drift_share"].default)

_LATEST: Final = """
SELECT {figure}
FROM monitoring.drift_months
WHERE source = '$source'
ORDER BY month DESC
LIMIT 1
"""

_MISSING: Final = """
SELECT max(missing_share) AS missing
FROM monitoring.data_quality
WHERE source = '$source' AND dataset = 'current'
    AND month = (SELECT max(month) FROM monitoring.data_quality WHERE source = '$source')
"""

_SHARE: Final = """
SELECT month::timestamp AS time, drifted_share AS "drifted columns", threshold
FROM monitoring.drift_months
WHERE source = '$source' AND $__timeFilter(month)
ORDER BY month
"""

_SCORES: Final = """
SELECT month::timestamp AS time, column_name AS metric, score / nullif(threshold, 0) AS drift
FROM monitoring.drift_columns
WHERE source = '$source' AND $__timeFilter(month)
ORDER BY month, column_name
"""

_MISSING_BY_COLUMN: Final = """
SELECT month::timestamp AS time, column_name AS metric, missing_share AS missing
FROM monitoring.data_quality
WHERE source = '$source' AND dataset = 'current' AND $__timeFilter(month)
ORDER BY month, column_name
"""

_TRIPS: Final = """
SELECT month::timestamp AS time, current_trips AS trips
FROM monitoring.drift_months
WHERE source = '$source' AND $__timeFilter(month)
ORDER BY month
"""

_DURATIONS: Final = """
SELECT month::timestamp AS time, p05 AS "5%", p50 AS median, p95 AS "95%"
FROM monitoring.data_quality
WHERE source = '$source' AND dataset = 'current' AND column_name = 'trip_minutes'
    AND $__timeFilter(month)
ORDER BY month
"""

_COLUMNS: Final = """
SELECT
    drift.column_name AS column, drift.method, drift.score, drift.threshold,
    CASE WHEN drift.drifted THEN 'drifted' ELSE 'as before' END AS verdict,
    before.mean AS "mean before", now.mean AS mean,
    before.missing_share AS "missing before", now.missing_share AS missing
FROM monitoring.drift_columns AS drift
LEFT JOIN monitoring.data_quality AS now
    ON (now.source, now.month, now.column_name, now.dataset)
        = (drift.source, drift.month, drift.column_name, 'current')
LEFT JOIN monitoring.data_quality AS before
    ON (before.source, before.month, before.column_name, before.dataset)
        = (drift.source, drift.month, drift.column_name, 'reference')
WHERE drift.source = '$source'
    AND drift.month = (SELECT max(month) FROM monitoring.drift_months WHERE source = '$source')
ORDER BY drift.score / nullif(drift.threshold, 0) DESC
"""

_REPORTS: Final = """
SELECT
    to_char(month, 'YYYY-MM') AS month,
    array_to_string(reference_months, ', ') AS "compared with",
    model_version AS model,
    current_trips AS trips,
    drifted_columns || ' of ' || compared_columns AS drifted,
    drifted_share AS share,
    CASE WHEN drifted THEN 'drifted' ELSE 'as before' END AS verdict,
    reported_at AS reported,
    report_url AS report
FROM monitoring.drift_months
WHERE source = '$source'
ORDER BY drift_months.month DESC
LIMIT 60
"""


def drift() -> Json:
    """Columns, shares, quality and the reports."""
    return dashboard(
        "Drift",
        "How the trips of each month differ from those that the model was trained on: what is"
        " known when a trip begins, how long it took, and what was predicted.",
        [*_now(), *_over_time(), *_tables(), *truth.of_drift()],
        variables=[source_variable()],
    )


def _now() -> list[Json]:
    limit = steps((DRIFT_SHARE, "red"))
    return [
        stat(
            "Latest month",
            "The month of the latest report.",
            _latest("to_char(month, 'YYYY-MM') AS month"),
            "string",
            text=True,
            width=6,
        ),
        stat(
            "Drifted columns",
            "Share of the compared columns; red: the month counts as drifted.",
            _latest("drifted_share AS drifted"),
            "percentunit",
            colors=limit,
            width=6,
        ),
        stat(
            "Missing values",
            "The column of the latest month that misses most values.",
            sql(_MISSING),
            "percentunit",
            width=6,
        ),
        stat("Trips", "Trips of the latest month.", _latest("current_trips AS trips"), width=6),
    ]


def _over_time() -> list[Json]:
    return [
        lines(
            "Drifted columns by month",
            "Share of the compared columns; from the threshold on the month counts as drifted.",
            series(_SHARE),
            "percentunit",
            least=0,
        ),
        lines(
            "Drift of each column by month",
            "Distance from the reference by its threshold: from 1 on the column counts as drifted.",
            series(_SCORES),
            least=0,
        ),
        lines(
            "Missing values by month",
            "Share of all trips, not of a sample.",
            series(_MISSING_BY_COLUMN),
            "percentunit",
            least=0,
            width=8,
        ),
        lines(
            "Durations by month",
            "Quantiles of all trips.",
            series(_DURATIONS),
            "m",
            width=8,
            least=0,
        ),
        lines(
            "Trips by month",
            "Trips that were loaded and kept.",
            series(_TRIPS),
            "short",
            bars=True,
            width=8,
            least=0,
        ),
    ]


def _tables() -> list[Json]:
    shares = {"missing before": "percentunit", "missing": "percentunit"}
    return [
        table(
            "Columns of the latest month",
            "The farthest beyond its threshold first.",
            sql(_COLUMNS),
            shares,
        ),
        table(
            "Reports",
            "Evidently's page of each month, in the MLflow UI.",
            sql(_REPORTS),
            {"share": "percentunit"},
            links=["report"],
        ),
    ]


def _latest(figure: str) -> Json:
    return sql(_LATEST.format(figure=figure))
