"""The dashboard *Pipelines*: runs, their durations and failures, and how fresh the data is."""

from typing import Final

from taxi_duration.monitoring.grafana import loop, truth
from taxi_duration.monitoring.grafana.parts import (
    BY_DAY,
    Json,
    dashboard,
    lines,
    series,
    sql,
    stat,
    steps,
    table,
)
from taxi_duration.simulation.source import DRILL

# From one month's first run to the next one's are 31 days at most; the rest is for a run that is
# started again by a person.
STALE_DAYS: Final = 35
# A source without a completed run for so long is used no more.
GIVEN_UP_DAYS: Final = 90
_REAL: Final = f"source IS DISTINCT FROM '{DRILL}'"

# Of each source the days since the first run that completed its latest month: one that brings the
# same month again brings nothing new. Where the City is used nothing else counts: what steps in
# while it does not answer (`TAXI_CITY_API=auto`) brings no news of Chicago.
FRESHNESS: Final = f"""
WITH latest AS (
    SELECT source, max(month) AS month, count(DISTINCT month) AS months
    FROM monitoring.pipeline_runs
    WHERE pipeline = 'taxi_duration' AND status = 'completed' AND source <> '{DRILL}'
    GROUP BY source
    HAVING max(ended_at) > now() - interval '{GIVEN_UP_DAYS} days'
)
SELECT
    latest.source, latest.month, latest.months, min(run.ended_at) AS came,
    extract(epoch FROM now() - min(run.ended_at))::double precision / 86400 AS days
FROM latest
JOIN monitoring.pipeline_runs AS run
    ON (run.source, run.month, run.pipeline, run.status)
        = (latest.source, latest.month, 'taxi_duration', 'completed')
WHERE latest.source = 'city' OR NOT EXISTS (SELECT FROM latest AS real WHERE real.source = 'city')
GROUP BY latest.source, latest.month, latest.months
"""  # noqa: S608  no part of it comes from outside

STALE: Final = f"SELECT source, days FROM ({FRESHNESS.strip()}) AS fresh"  # noqa: S608

_STALEST: Final = f"""
SELECT max(days) AS days FROM ({FRESHNESS.strip()}) AS fresh HAVING count(*) > 0
"""  # noqa: S608

# Since the latest run that ended, well or not.
SILENT: Final = f"""
SELECT extract(epoch FROM now() - max(ended_at))::double precision / 86400 AS days
FROM monitoring.pipeline_runs
WHERE pipeline = 'taxi_duration' AND {_REAL}
HAVING count(*) > 0
"""  # noqa: S608

# Of each pipeline the latest run: what failed and went well since alarms nobody.
FAILING: Final = f"""
SELECT pipeline, (status = 'failed')::integer::double precision AS failed
FROM (
    SELECT DISTINCT ON (pipeline) pipeline, status
    FROM monitoring.pipeline_runs
    WHERE {_REAL}
    ORDER BY pipeline, ended_at DESC
) AS latest
"""  # noqa: S608

_LAST: Final = f"""
SELECT status
FROM monitoring.pipeline_runs
WHERE {_REAL}
ORDER BY ended_at DESC
LIMIT 1
"""  # noqa: S608

_FAILURES: Final = f"""
SELECT (count(*) FILTER (WHERE status = 'failed'))::double precision AS failures
FROM monitoring.pipeline_runs
WHERE ended_at > now() - interval '30 days' AND {_REAL}
"""  # noqa: S608

_DURATIONS: Final = f"""
SELECT
    ended_at AS time,
    pipeline AS metric,
    extract(epoch FROM ended_at - started_at)::double precision AS seconds
FROM monitoring.pipeline_runs
WHERE status = 'completed' AND started_at IS NOT NULL AND {_REAL} AND $__timeFilter(ended_at)
ORDER BY ended_at
"""  # noqa: S608

_ENDINGS: Final = f"""
SELECT date_trunc('day', ended_at) AS time, status AS metric, count(*)::double precision AS runs
FROM monitoring.pipeline_runs
WHERE {_REAL} AND $__timeFilter(ended_at)
GROUP BY 1, 2
ORDER BY 1, 2
"""  # noqa: S608

_SOURCES: Final = f"""
SELECT
    source, to_char(month, 'YYYY-MM') AS "latest month", came AS "came first",
    days AS "days ago", months
FROM ({FRESHNESS.strip()}) AS fresh
ORDER BY days
"""  # noqa: S608

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
            "How it ended; drills do not count.",
            sql(_LAST),
            "string",
            text=True,
            width=6,
        ),
        stat(
            "Since a new month came",
            f"Days since the latest month completed its first run; of several sources the stalest."
            f" Red from {STALE_DAYS} on: a month is missing.",
            sql(_STALEST),
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
            "Of the last 30 days; drills do not count.",
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
            "By how they ended; drills do not count.",
            series(_ENDINGS),
            "short",
            bars=True,
            stacked=True,
            step=BY_DAY,
            least=0,
        ),
    ]


def _tables() -> list[Json]:
    return [
        table(
            "Freshness",
            "The latest month of each source in use, and when a run first completed it.",
            sql(_SOURCES),
            {"days ago": "d"},
            height=5,
        ),
        table("Runs", "The latest first; why a run failed.", sql(_RUNS), {"duration": "s"}),
    ]
