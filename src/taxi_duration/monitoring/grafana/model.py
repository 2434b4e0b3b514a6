"""The dashboard *Model*: how well it predicts, month by month, and who served."""

from typing import Final

from taxi_duration.monitoring.grafana import segments, truth
from taxi_duration.monitoring.grafana.judged import ERROR_RATIO, EXPECTED, JUDGED
from taxi_duration.monitoring.grafana.parts import (
    Json,
    annotation,
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
from taxi_duration.simulation.source import DRILL

COVERAGE: Final = 0.8
LEAST_COVERAGE: Final = float(Settings.model_fields["gate_min_coverage"].default)
MOST_COVERAGE: Final = float(Settings.model_fields["gate_max_coverage"].default)

_LATEST: Final = f"""
SELECT {{figure}}
{JUDGED}
WHERE report.source = '$source'
ORDER BY report.month DESC
LIMIT 1
"""

# A drill trains a model of its own name, whose changes stay in the history.
_REAL: Final = f"model NOT LIKE '%-{DRILL}'"

_SERVING: Final = f"""
SELECT coalesce('version ' || to_version, 'none') AS version
FROM monitoring.model_history
WHERE alias = 'champion' AND {_REAL}
ORDER BY id DESC
LIMIT 1
"""  # noqa: S608  no part of it comes from outside

_BETTER: Final = """
SELECT 1 - mae / nullif(floor_mae, 0) AS better
FROM monitoring.gate_decisions
WHERE source = '$source' AND mae IS NOT NULL
ORDER BY decided_at DESC
LIMIT 1
"""

_ERROR: Final = f"""
SELECT
    report.month::timestamp AS time,
    month.mae AS error,
    {EXPECTED} AS expected,
    coalesce(month.floor_mae, gate.floor_mae) AS floor,
    CASE WHEN report.model_version <> 'floor' THEN {ERROR_RATIO} * {EXPECTED} END AS threshold
{JUDGED}
LEFT JOIN LATERAL (
    SELECT floor_mae FROM monitoring.gate_decisions
    WHERE (source, month) = (report.source, report.month)
    ORDER BY decided_at DESC LIMIT 1
) AS gate ON true
WHERE report.source = '$source' AND $__timeFilter(report.month)
ORDER BY report.month
"""  # noqa: S608  no part of it comes from outside

_MONTHLY: Final = f"""
SELECT report.month::timestamp AS time, {{figures}}
{JUDGED}
WHERE report.source = '$source' AND $__timeFilter(report.month)
ORDER BY report.month
"""

_VERSIONS: Final = """
SELECT
    month::timestamp AS time,
    CASE model_version WHEN 'floor' THEN 'the floor' ELSE 'version ' || model_version END AS metric,
    mae AS error
FROM monitoring.performance
WHERE source = '$source' AND dataset = 'current' AND $__timeFilter(month)
ORDER BY month, metric
"""

_COVERAGE: Final = """
month.coverage_80 AS "inside the interval",
    {wanted}::double precision AS wanted,
    {least}::double precision AS "lower limit",
    {most}::double precision AS "upper limit"
"""

_SEGMENTS: Final = """
SELECT
    segment->>'name' AS segment,
    (segment->>'trips')::integer AS trips,
    (segment->>'mae')::double precision AS error,
    (segment->>'rival_mae')::double precision AS "rival's error",
    (segment->>'coverage_80')::double precision AS "inside the interval"
FROM (
    SELECT segments FROM monitoring.gate_decisions
    WHERE source = '$source' AND segments <> '[]'
    ORDER BY decided_at DESC LIMIT 1
) AS latest, jsonb_array_elements(segments) AS segment
ORDER BY error DESC
"""

_DECISIONS: Final = """
SELECT
    decided_at AS decided,
    to_char(month, 'YYYY-MM') AS month,
    version,
    CASE WHEN promoted THEN 'promoted' ELSE 'refused' END AS decision,
    reason,
    coalesce(champion, 'floor') AS rival,
    mae AS error,
    rival_mae AS "rival's error",
    floor_mae AS "floor's error",
    late_5 AS "late by 5 min",
    page_url AS page
FROM monitoring.gate_decisions
WHERE source = '$source'
ORDER BY decided_at DESC
LIMIT 50
"""

_HISTORY: Final = f"""
SELECT
    changed_at AS changed, alias, action, coalesce(from_version, 'none') AS before,
    coalesce(to_version, 'none') AS after, changed_by AS by, reason
FROM monitoring.model_history
WHERE {_REAL}
ORDER BY id DESC
LIMIT 50
"""  # noqa: S608  no part of it comes from outside

# At the month whose trips decided: the axis is that of the months, not of the runs.
_PROMOTIONS: Final = f"""
SELECT time, text, tags
FROM (
    SELECT
        coalesce(decision.month::timestamp, change.changed_at AT TIME ZONE 'UTC') AS time,
        'version ' || change.to_version || ' serves since '
            || to_char(change.changed_at, 'YYYY-MM-DD HH24:MI') || ': ' || change.reason AS text,
        change.action AS tags
    FROM monitoring.model_history AS change
    LEFT JOIN monitoring.gate_decisions AS decision
        ON (decision.model, decision.run_id) = (change.model, change.run_id)
    WHERE change.alias = 'champion' AND change.to_version IS NOT NULL AND change.{_REAL}
) AS promotion
WHERE $__timeFilter(time)
ORDER BY time
"""  # noqa: S608  no part of it comes from outside


def model() -> Json:
    """Errors, intervals, segments, decisions and versions."""
    return dashboard(
        "Model",
        "How long trips took, and how long the model said. Durations in minutes, by the month of"
        " the trips; a month without figures has no truth yet.",
        [*_now(), *_over_time(), *segments.of_model(), *truth.of_model(), *_tables()],
        variables=[source_variable()],
        annotations=[annotation("Promotions", _PROMOTIONS)],
    )


def _now() -> list[Json]:
    covered = steps((LEAST_COVERAGE, "green"), (MOST_COVERAGE, "orange"), base="red")
    return [
        stat("Serving", "The version that is champion.", sql(_SERVING), "string", text=True),
        stat(
            "Error", "Mean absolute error of the latest month.", _latest("month.mae AS error"), "m"
        ),
        stat(
            "Better than the floor",
            "Share of the floor's error that the latest candidate saved, on the same trips. The"
            " floor is the median of the pair of areas at that hour.",
            sql(_BETTER),
            "percentunit",
            colors=steps((0, "green"), base="red"),
        ),
        stat(
            "Inside the interval",
            "Share of the latest month's trips that took as long as the 80% interval said.",
            _latest("month.coverage_80 AS coverage"),
            "percentunit",
            colors=covered,
        ),
        stat(
            "Within 5 minutes",
            "Share of the latest month's trips within 5 minutes of the prediction.",
            _latest("month.within_5 AS within"),
            "percentunit",
        ),
        stat(
            "Bias",
            "Prediction minus duration, mean of the latest month; below 0: trips take longer.",
            _latest("month.bias AS bias"),
            "m",
        ),
    ]


def _over_time() -> list[Json]:
    coverage = _COVERAGE.format(wanted=COVERAGE, least=LEAST_COVERAGE, most=MOST_COVERAGE)
    return [
        lines(
            "Error by month",
            "Mean absolute error of the champion. Expected: its error on the trips that it was"
            " trained on, stretched to the month's mean duration. Threshold:"
            f" {ERROR_RATIO} times that."
            " Floor: the median of the pair of areas.",
            series(_ERROR),
            "m",
            least=0,
        ),
        lines(
            "Error of each version by month",
            "Mean absolute error of every version that was judged on the month.",
            series(_VERSIONS),
            "m",
            least=0,
        ),
        lines(
            "Inside the 80% interval by month",
            "Share of trips; wanted are 80%, the limits are the gate's.",
            series(_MONTHLY.format(figures=coverage.strip())),
            "percentunit",
        ),
        lines(
            "Width and bias by month",
            "Mean width of the interval, mean of prediction minus duration.",
            series(_MONTHLY.format(figures="month.interval_width AS width, month.bias")),
            "m",
        ),
        lines(
            "Relative error and hits by month",
            "Mean of error by duration, and share of trips within 5 minutes.",
            series(
                _MONTHLY.format(
                    figures='month.mape AS "relative error", month.within_5 AS "within 5 min"'
                )
            ),
            "percentunit",
            least=0,
        ),
    ]


def _tables() -> list[Json]:
    minutes = {"error": "m", "rival's error": "m"}
    shares = {"inside the interval": "percentunit"}
    return [
        table(
            "Segments of the latest candidate",
            "The worst first, with the rival of its decision on the same trips.",
            sql(_SEGMENTS),
            {**minutes, **shares},
            width=10,
        ),
        table("Who served", "Every change of an alias.", sql(_HISTORY), width=14),
        table(
            "Decisions of the gate",
            "Each candidate, its rival on the same later trips, and why it was promoted or not.",
            sql(_DECISIONS),
            {**minutes, "floor's error": "m", "late by 5 min": "percentunit"},
            links=["page"],
        ),
    ]


def _latest(figure: str) -> Json:
    return sql(_LATEST.format(figure=figure))
