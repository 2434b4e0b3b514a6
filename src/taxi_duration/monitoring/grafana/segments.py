"""Panels of the segments of a month's trips: places, bands of hours and of miles."""

from typing import Final

from taxi_duration.monitoring.grafana.judged import ERROR_RATIO, EXPECTED, JUDGED
from taxi_duration.monitoring.grafana.parts import Json, lines, series, sql, table

_LATEST_SEGMENTS: Final = """
SELECT
    part.segment, part.trips, part.mae AS error, part.floor_mae AS "floor's error", part.bias,
    part.mape AS "relative error", part.within_5 AS "within 5 min",
    part.coverage_80 AS "inside the interval", part.interval_width AS width,
    part.late_5 AS "late by 5 min"
FROM monitoring.performance_segments AS part
JOIN monitoring.drift_months AS report
    ON (report.source, report.month, report.model_version)
        = (part.source, part.month, part.model_version)
WHERE part.source = '$source'
    AND report.month = (SELECT max(month) FROM monitoring.drift_months WHERE source = '$source')
ORDER BY part.mae DESC
"""

_SEGMENTS: Final = """
SELECT part.month::timestamp AS time, part.segment AS metric, part.mae AS error
FROM monitoring.performance_segments AS part
JOIN monitoring.drift_months AS report
    ON (report.source, report.month, report.model_version)
        = (part.source, part.month, part.model_version)
WHERE part.source = '$source' AND $__timeFilter(part.month)
ORDER BY part.month, part.segment
"""

# Segments are not equally hard: each error is shown by the floor's on the same trips, which is 1.
# The month's threshold by the month's floor is then the limit of all of them alike.
_SEGMENTS_BY_FLOOR: Final = """
SELECT part.month::timestamp AS time, part.segment AS metric,
    part.mae / nullif(part.floor_mae, 0) AS error
FROM monitoring.performance_segments AS part
JOIN monitoring.drift_months AS report
    ON (report.source, report.month, report.model_version)
        = (part.source, part.month, part.model_version)
WHERE part.source = '$source' AND part.floor_mae IS NOT NULL AND $__timeFilter(part.month)
ORDER BY part.month, part.segment
"""

_SEGMENT_LIMITS: Final = f"""
SELECT report.month::timestamp AS time, 1::double precision AS floor,
    CASE WHEN report.model_version <> 'floor'
        THEN {ERROR_RATIO} * {EXPECTED} / nullif(month.floor_mae, 0) END AS threshold
{JUDGED}
WHERE report.source = '$source' AND month.floor_mae IS NOT NULL AND $__timeFilter(report.month)
ORDER BY report.month
"""


def of_model() -> list[Json]:
    """For *Model*: every segment of the latest month, and over time beside its floor."""
    minutes = dict.fromkeys(("error", "floor's error", "bias", "width"), "m")
    names = ("relative error", "within 5 min", "inside the interval", "late by 5 min")
    return [
        table(
            "Segments of the latest month",
            "The worst first; segments overlap, and `all` is every trip.",
            sql(_LATEST_SEGMENTS),
            {**minutes, **dict.fromkeys(names, "percentunit")},
        ),
        lines("Error of each segment by month", "Mean absolute error.", series(_SEGMENTS), "m",
              least=0),
        lines("Error of each segment beside its floor by month", "Error by the error of the floor"
              " on the segment's own trips: above 1 the median of the pair of areas is better."
              " Threshold: that of the month's error, by the month's floor.",
              [series(_SEGMENTS_BY_FLOOR), series(_SEGMENT_LIMITS)], "none", least=0),
    ]  # fmt: skip
