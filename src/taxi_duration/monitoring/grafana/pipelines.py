"""The dashboard *Pipelines*: runs, their durations and failures, and how fresh the data is."""

from typing import Final

from taxi_duration.monitoring.grafana import loop, truth
from taxi_duration.monitoring.grafana.parts import (
    Json,
    dashboard,
    lines,
    series,
    sql,
    stat,
    steps,
    table,
)

# A month is 31 days at most; the rest is for a run that is started again by a person.
STALE_DAYS: Final = 35

REPORTED: Final = """
SELECT extract(epoch FROM now() - max(reported_at))::double precision / 86400 AS days
FROM monitoring.drift_months
WHERE source <> 'drill'
HAVING count(*) > 0
"""

# Since the latest run that ended, well or not.
SILENT: Final = """
SELECT extract(epoch FROM now() - max(ended_at))::double precision / 86400 AS days
FROM monitoring.pipeline_runs
WHERE pipeline = 'taxi_duration' AND source IS DISTINCT FROM 'drill'
HAVING count(*) > 0
"""

# Of each pipeline the latest run: what failed and went well since alarms nobody.
FAILING: Final = """
SELECT pipeline, (status = 'failed')::integer::double precision AS failed
FROM (
    SELECT DISTINCT ON (pipeline) pipeline, status
    FROM monitoring.pipeline_runs
    WHERE source IS DISTINCT FROM 'drill'
    ORDER BY pipeline, ended_at DESC
) AS latest
"""

_LAST: Final = """
SELECT status
FROM monitoring.pipeline_runs
ORDER BY ended_at DESC
LIMIT 1
"""

_FAILURES: Final = """
SELECT (count(*) FILTER (WHERE status = 'failed'))::double precision AS failures
FROM monitoring.pipeline_runs
WHERE ended_at > now() - interval '30 days'
"""

_DURATIONS: Final = """
SELECT
    ended_at AS time,
    pipeline AS metric,
    extract(epoch FROM ended_at - started_at)::double precision AS seconds
FROM monitoring.pipeline_runs
WHERE status = 'completed' AND started_at IS NOT NULL AND $__timeFilter(ended_at)
ORDER BY ended_at
"""

_ENDINGS: Final = """
SELECT date_trunc('day', ended_at) AS time, status AS metric, count(*)::double precision AS runs
FROM monitoring.pipeline_runs
WHERE $__timeFilter(ended_at)
GROUP BY 1, 2
ORDER BY 1, 2
"""

_FRESHNESS: Final = """
SELECT
    source,
    to_char(max(month), 'YYYY-MM') AS "latest month",
    max(reported_at) AS reported,
    extract(epoch FROM now() - max(reported_at))::double precision / 86400 AS "days ago",
    count(*) AS months
FROM monitoring.drift_months
GROUP BY source
ORDER BY max(reported_at) DESC
"""

_RUNS: Final = """
SELECT
    pipeline, run_id AS run, to_char(month, 'YYYY-MM') AS month, source, status,
    started_at AS started,
    extract(epoch FROM ended_at - started_at)::double precision AS duration,
    error
FROM monitoring.pipeline_runs
ORDER BY ended_at DESC
LIMIT 100
"""


def pipelines() -> Json:
    """Runs, durations, failures and freshness."""
    return dashboard(
        "Pipelines",
        "The runs of the pipelines in Mage, what failed, and how fresh the data is.",
        [*_now(), *_over_time(), *truth.of_pipelines(), *_tables(), *loop.of_pipelines()],
        since="now-90d",
        timezone="browser",
    )


def _now() -> list[Json]:
    return [
        stat(
            "Latest run",
            "How it ended.",
            sql(_LAST),
            "string",
            text=True,
            width=6,
        ),
        stat(
            "Since a month was reported",
            f"Red from {STALE_DAYS} days on: a month is missing.",
            sql(REPORTED),
            "d",
            colors=steps((STALE_DAYS, "red")),
            width=6,
        ),
        stat(
            "Since a run ended",
            "Days since a monthly run ended, well or not.",
            sql(SILENT),
            "d",
            colors=steps((STALE_DAYS, "red")),
            width=6,
        ),
        stat(
            "Failed runs",
            "Of the last 30 days.",
            sql(_FAILURES),
            colors=steps((1, "red")),
            width=6,
        ),
    ]


def _over_time() -> list[Json]:
    return [
        lines(
            "Duration of the runs",
            "Of those that completed.",
            series(_DURATIONS),
            "s",
            least=0,
        ),
        lines(
            "Runs by day",
            "By how they ended.",
            series(_ENDINGS),
            "short",
            bars=True,
            stacked=True,
            least=0,
        ),
    ]


def _tables() -> list[Json]:
    return [
        table(
            "Freshness",
            "The latest month of each source.",
            sql(_FRESHNESS),
            {"days ago": "d"},
            height=5,
        ),
        table("Runs", "The latest first; why a run failed.", sql(_RUNS), {"duration": "s"}),
    ]
