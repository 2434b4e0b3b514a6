"""Panels of what really happened: outcomes, what was loaded, and what is asked now."""

from typing import Final

from taxi_duration.monitoring.grafana.parts import (
    BY_DAY,
    BY_HOUR,
    Json,
    lines,
    series,
    sql,
    stat,
    table,
)
from taxi_duration.monitoring.live_window import PAGE_PICTURES

# Windows are an hour each: of a longer time than this nobody could tell one from the next.
SHOWN: Final = "7d"

# By the day on which they were answered. A prediction without an outcome has no row: it counts
# neither as right nor as wrong.
_OUTCOMES: Final = """
SELECT
    date_trunc('day', predicted_at) AS time,
    avg(abs(prediction - minutes)) AS error,
    avg(prediction - minutes) AS bias
FROM monitoring.outcomes
WHERE source = '$source' AND role = 'champion' AND $__timeFilter(predicted_at)
GROUP BY 1
ORDER BY 1
"""

_HELD: Final = """
SELECT
    date_trunc('day', predicted_at) AS time,
    avg((minutes BETWEEN lower AND upper)::integer)::double precision AS "inside the interval",
    0.8::double precision AS wanted
FROM monitoring.outcomes
WHERE source = '$source' AND role = 'champion' AND $__timeFilter(predicted_at)
GROUP BY 1
ORDER BY 1
"""

_KNOWN: Final = """
SELECT count(*)::double precision AS outcomes
FROM monitoring.outcomes
WHERE source = '$source' AND role = 'champion'
"""

# The service's page asks for its pictures too, which are of no trip.
_PICTURES: Final = ", ".join(f"'{name}'" for name in PAGE_PICTURES)
_WAITING: Final = f"""
SELECT count(*)::double precision AS waiting
FROM monitoring.predictions AS asked
WHERE role = 'champion' AND trip_id IS NOT NULL AND trip_id NOT IN ({_PICTURES})
    AND NOT EXISTS (
        SELECT FROM monitoring.outcomes AS known
        WHERE (known.prediction_id, known.role) = (asked.id, asked.role)
    )
"""  # noqa: S608  no part of it comes from outside

_QUARANTINED: Final = """
SELECT month::timestamp AS time, reason AS metric, trips::double precision AS trips
FROM monitoring.quarantined
WHERE source = '$source' AND $__timeFilter(month)
ORDER BY month, reason
"""

_LOADED: Final = """
SELECT
    source,
    to_char(month, 'YYYY-MM') AS month,
    loaded_at AS loaded,
    extract(epoch FROM now() - loaded_at)::double precision / 86400 AS "days ago",
    asked AS "asked for", loaded AS rows, kept, quarantined AS "put aside",
    quarantined::double precision / nullif(loaded, 0) AS "share put aside"
FROM monitoring.loaded_months
ORDER BY loaded_months.month DESC, source
LIMIT 60
"""

_ASKED: Final = """
SELECT window_end AS time, predictions::double precision AS predictions
FROM monitoring.live_windows
WHERE $__timeFilter(window_end)
ORDER BY window_end
"""

_LIVE_DRIFT: Final = """
SELECT window_end AS time, drifted_share AS "drifted columns", threshold
FROM monitoring.live_windows
WHERE $__timeFilter(window_end)
ORDER BY window_end
"""

_LIVE_SHARES: Final = """
SELECT
    window_end AS time, unseen_pairs_share AS "pairs never trained on",
    missing_areas_share AS "without an area", reference_missing_share AS "usually without"
FROM monitoring.live_windows
WHERE $__timeFilter(window_end)
ORDER BY window_end
"""

_LIVE_COLUMNS: Final = """
SELECT window_end AS time, part.column_name AS metric,
    part.score / nullif(part.threshold, 0) AS drift
FROM monitoring.live_columns AS part
JOIN monitoring.live_windows AS shown USING (window_start, window_end)
WHERE $__timeFilter(window_end)
ORDER BY window_end, part.column_name
"""

_WINDOWS: Final = """
SELECT
    window_start AS "from", window_end AS "to", predictions, model_version AS model,
    drifted_share AS drifted,
    CASE WHEN drifted THEN 'drifted' WHEN NOT drifted THEN 'as usual' ELSE 'not compared' END
        AS verdict,
    p50_ms, p95_ms, p99_ms, report_url AS report
FROM monitoring.live_windows
ORDER BY window_start DESC, window_end
LIMIT 72
"""

# One window may be a football match; each of the last three that were compared is not. Three that
# overlap would be one: those that a person asked for between (`taxi live`) are left out where they
# have another length than most, and of the rest each ends before the next one begins. One as usual
# that overlaps them ends the row all the same. How the pipeline's rule differs: `live_drift.py`.
LIVE_DRIFT: Final = """
WITH RECURSIVE windows AS (
    SELECT window_start, window_end, drifted FROM monitoring.live_windows
    WHERE window_end > now() - interval '1 day'
), compared AS (
    SELECT * FROM windows
    WHERE drifted IS NOT NULL AND window_end - window_start = (
        SELECT mode() WITHIN GROUP (ORDER BY window_end - window_start) FROM windows
    )
), latest AS (
    (SELECT 1 AS place, * FROM compared ORDER BY window_end DESC LIMIT 1)
    UNION ALL
    SELECT latest.place + 1, former.*
    FROM latest CROSS JOIN LATERAL (
        SELECT * FROM compared
        WHERE compared.window_end <= latest.window_start
        ORDER BY compared.window_end DESC LIMIT 1
    ) AS former
    WHERE latest.place < 3
)
SELECT min(drifted::integer)::double precision AS drifted
FROM compared
WHERE window_end >= (SELECT min(window_end) FROM latest HAVING count(*) = 3)
HAVING count(*) > 0
"""

# The hourly pipeline shows whether the scheduler lives; the monthly one would tell a month later.
# No table says whether the schedule or a person started a run: `taxi live` counts here too.
SILENT: Final = """
SELECT extract(epoch FROM now() - max(ended_at))::double precision / 3600 AS hours
FROM monitoring.pipeline_runs
WHERE pipeline = 'live_monitoring'
HAVING count(*) > 0
"""


def of_model() -> list[Json]:
    """For *Model*: the answers whose outcome is known, beside those that wait for it."""
    return [
        stat("Answers with a known outcome", "Logged predictions whose trip was published since.",
             sql(_KNOWN), "short", width=4, height=8),
        stat("Answers that wait for their outcome", "Logged predictions with a trip's id that no"
             " month has brought yet, of any source; an id that is no trip of the City's waits"
             " until the log deletes it.", sql(_WAITING), "short", width=4, height=8),
        lines("Answers and what happened by day", "Of those that were answered on that day.",
              series(_OUTCOMES), "m", width=8, step=BY_DAY),
        lines("Answers inside their interval by day", "Of those whose outcome is known.",
              series(_HELD), "percentunit", width=8, step=BY_DAY),
    ]  # fmt: skip


def of_drift() -> list[Json]:
    """For *Drift*: what was put aside, and live traffic beside what is usual at that hour."""
    shown = {"timeFrom": SHOWN}
    panels = [
        lines("Predictions by window", "What the service was asked.", series(_ASKED), "short",
              bars=True, least=0, step=BY_HOUR),
        lines("Drifted columns of live traffic", "Share of the compared columns, beside the trips"
              " of the same hours of the week that the model was trained on; a gap: too few were"
              " asked.", series(_LIVE_DRIFT), "percentunit", least=0, step=BY_HOUR),
        lines("Unusual trips in live traffic", "Share of the trips that were asked for.",
              series(_LIVE_SHARES), "percentunit", least=0, step=BY_HOUR),
        lines("Drift of each column of live traffic", "Distance from what is usual by its"
              " threshold: from 1 on the column counts as drifted.", series(_LIVE_COLUMNS),
              least=0, step=BY_HOUR),
    ]  # fmt: skip
    return [
        lines("Rows put aside by month", "Rows that cannot be trips, by reason.",
              series(_QUARANTINED), "short", bars=True, stacked=True, least=0, width=24),
        *({**panel, **shown} for panel in panels),
        table("Windows of live traffic", "Evidently's page where a window drifted.", sql(_WINDOWS),
              {"drifted": "percentunit", **dict.fromkeys(("p50_ms", "p95_ms", "p99_ms"), "ms")},
              links=["report"]),
    ]  # fmt: skip


def of_pipelines() -> list[Json]:
    """For *Pipelines*: what the lake has of each month."""
    return [
        stat("Since live traffic was compared", "Hours; each hour a run does it.", sql(SILENT),
             "h", width=6, height=8),
        table("Months in the lake", "What came, what was kept, and when.", sql(_LOADED),
              {"days ago": "d", "share put aside": "percentunit"}, width=18),
    ]  # fmt: skip
