"""What the page asks Postgres, in one place: a query for each list of `answer.Figures`.

Columns that a later version of the schema brought are read by name from the row as JSON: the
service may be newer than the schema until the pipeline's next run brings it up to date.
"""

from typing import Any, Final, NamedTuple

from duration_service.monitoring import answer


class Query(NamedTuple):
    """SQL, and the type of a row; `%(model)s` is the registered model's name."""

    kind: Any
    sql: str


# A year of months, and a week of anything that comes daily.
MONTHS: Final = 12
ROWS: Final = 8
HOURS: Final = 24
RECENT_DAYS: Final = 7
_LATEST: Final = "(SELECT max(month) FROM monitoring.{table} latest WHERE latest.source = t.source)"


def _recent(table: str) -> str:
    """The condition for the last year of months of each source."""
    return f"t.month > {_LATEST.format(table=table)} - interval '{MONTHS} months'"


def _last(table: str) -> str:
    return f"t.month = {_LATEST.format(table=table)}"


QUERIES: Final[dict[str, Query]] = {
    "promotions": Query(
        answer.Promotion,
        f"""
        SELECT action, from_version, to_version, changed_by, reason, changed_at
        FROM monitoring.model_history WHERE model = %(model)s AND alias = 'champion'
        ORDER BY id DESC LIMIT {2 * ROWS}
        """,  # noqa: S608  only constants of this module are put in, here and below
    ),
    "performance": Query(
        answer.MonthPerformance,
        f"""
        SELECT t.source, to_char(t.month, 'YYYY-MM') AS month, t.model_version, t.trips, t.mae,
            t.within_5, t.bias, t.coverage_80, t.interval_width,
            (to_jsonb(t) ->> 'late_5')::double precision AS late_5, reference.mae AS reference_mae,
            reference.mae * present.mean / nullif(past.mean, 0) AS expected_mae,
            coalesce((to_jsonb(t) ->> 'floor_mae')::double precision, lowest.mae,
                gate.floor_mae) AS floor_mae,
            (to_jsonb(t) ->> 'served')::boolean AS served,
            coalesce(report.model_version = t.model_version, false) AS judged, t.reported_at
        FROM monitoring.performance t
        LEFT JOIN monitoring.drift_months report
            ON (report.source, report.month) = (t.source, t.month)
        LEFT JOIN monitoring.performance reference
            ON (reference.source, reference.month, reference.dataset, reference.model_version)
            = (t.source, t.month, 'reference', t.model_version)
        LEFT JOIN monitoring.data_quality present
            ON (present.source, present.month, present.dataset, present.column_name)
            = (t.source, t.month, 'current', 'trip_minutes')
        LEFT JOIN monitoring.data_quality past
            ON (past.source, past.month, past.dataset, past.column_name)
            = (t.source, t.month, 'reference', 'trip_minutes')
        LEFT JOIN monitoring.performance lowest
            ON (lowest.source, lowest.month, lowest.dataset, lowest.model_version)
            = (t.source, t.month, t.dataset, 'floor')
        LEFT JOIN LATERAL (
            SELECT floor_mae FROM monitoring.gate_decisions
            WHERE (source, month) = (t.source, t.month) ORDER BY decided_at DESC LIMIT 1
        ) gate ON true
        WHERE t.dataset = 'current' AND {_recent("performance")}
        ORDER BY t.month DESC, t.reported_at DESC
        """,  # noqa: S608
    ),
    "segments": Query(
        answer.SegmentPerformance,
        f"""
        SELECT source, to_char(t.month, 'YYYY-MM') AS month, model_version, segment, trips, mae,
            floor_mae, within_5, coverage_80
        FROM monitoring.performance_segments t
        WHERE segment <> 'all' AND {_last("performance_segments")}
        ORDER BY mae DESC
        """,  # noqa: S608
    ),
    "drift": Query(
        answer.MonthDrift,
        f"""
        SELECT source, to_char(t.month, 'YYYY-MM') AS month, model_version, reference_months,
            current_trips, compared_columns, drifted_columns, drifted_share, threshold, drifted,
            report_url, reported_at,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('column_name', c.column_name,
                    'score', c.score, 'threshold', c.threshold, 'drifted', c.drifted)
                    ORDER BY c.score / nullif(c.threshold, 0) DESC NULLS LAST), '[]')
                FROM monitoring.drift_columns c
                WHERE (c.source, c.month) = (t.source, t.month)) AS columns
        FROM monitoring.drift_months t WHERE {_recent("drift_months")} ORDER BY t.month DESC
        """,  # noqa: S608
    ),
    "missing": Query(
        answer.Missing,
        f"""
        SELECT source, to_char(month, 'YYYY-MM') AS month, column_name, t.trips, t.missing_share,
            reference.missing_share AS reference_share
        FROM monitoring.data_quality t
        LEFT JOIN (SELECT * FROM monitoring.data_quality WHERE dataset = 'reference') reference
            USING (source, month, column_name)
        WHERE t.dataset = 'current' AND {_last("data_quality")}
        ORDER BY t.missing_share DESC, column_name
        """,  # noqa: S608
    ),
    "loaded_months": Query(
        answer.LoadedMonth,
        f"""
        SELECT source, to_char(t.month, 'YYYY-MM') AS month, asked, loaded, kept, quarantined,
            loaded_at
        FROM monitoring.loaded_months t WHERE {_recent("loaded_months")} ORDER BY t.month DESC
        """,  # noqa: S608
    ),
    "quarantined": Query(
        answer.Quarantined,
        f"""
        SELECT source, to_char(t.month, 'YYYY-MM') AS month, reason, trips
        FROM monitoring.quarantined t WHERE {_last("quarantined")} ORDER BY trips DESC
        """,  # noqa: S608
    ),
    # The last of each pipeline, of which one runs by the hour and one by the month, and whatever
    # failed lately.
    "runs": Query(
        answer.Run,
        f"""
        SELECT pipeline, run_id, source, to_char(month, 'YYYY-MM') AS month, status, started_at,
            ended_at, error
        FROM (
            SELECT *, coalesce(ended_at, started_at) AS at, row_number() OVER (
                PARTITION BY pipeline ORDER BY coalesce(ended_at, started_at) DESC NULLS LAST
            ) AS place
            FROM monitoring.pipeline_runs
        ) run
        WHERE place <= {ROWS}
            OR (status <> 'completed' AND at > now() - interval '{RECENT_DAYS} days')
        ORDER BY at DESC NULLS LAST LIMIT {8 * ROWS}
        """,  # noqa: S608
    ),
    "decisions": Query(
        answer.Decision,
        f"""
        SELECT version, source, to_char(month, 'YYYY-MM') AS month, promoted, reason, rival, trips,
            mae, rival_mae, floor_mae, coverage_80,
            ARRAY(SELECT rule ->> 'name' FROM jsonb_array_elements(checks) rule
                WHERE rule ->> 'passed' = 'false') AS broken,
            page_url, decided_at
        FROM monitoring.gate_decisions WHERE model = %(model)s
        ORDER BY decided_at DESC LIMIT {ROWS}
        """,  # noqa: S608
    ),
    # The last six digits of an id are a trip's place in its request (predictions_table.py). What
    # the page at / asks for its map and its day is no trip that anybody wants to take.
    "asked": Query(
        answer.AskedHour,
        f"""
        SELECT date_trunc('hour', predicted_at, 'UTC') AS hour, count(*) AS predictions,
            count(*) FILTER (WHERE first) AS requests,
            avg((pickup_community_area IS NULL OR dropoff_community_area IS NULL)::int)
                ::double precision AS unknown_area_share,
            avg(prediction) AS mean_minutes,
            1000 * percentile_cont(0.50) WITHIN GROUP (ORDER BY latency_seconds)
                FILTER (WHERE first) AS p50_ms,
            1000 * percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_seconds)
                FILTER (WHERE first) AS p95_ms,
            1000 * percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_seconds)
                FILTER (WHERE first) AS p99_ms
        FROM (
            SELECT *, right(id::text, 6) = '000000' AS first FROM monitoring.predictions
            WHERE role = 'champion' AND coalesce(trip_id, '') NOT IN ('page-map', 'page-day')
                AND predicted_at >= date_trunc('hour', now()) - interval '{HOURS - 1} hours'
        ) answered
        GROUP BY hour ORDER BY hour DESC
        """,  # noqa: S608
    ),
    "live_windows": Query(
        answer.LiveWindow,
        f"""
        SELECT window_start, window_end, predictions, model_version, drifted_share, drifted,
            unseen_pairs_share, missing_areas_share,
            (to_jsonb(t) ->> 'refused_requests')::int AS refused_requests,
            (to_jsonb(t) ->> 'failed_requests')::int AS failed_requests, report_url,
            ARRAY(SELECT column_name::text FROM monitoring.live_columns c
                WHERE c.window_start = t.window_start AND c.drifted
                    AND coalesce((to_jsonb(c) ->> 'window_end')::timestamptz, t.window_end)
                        = t.window_end
                ORDER BY c.score DESC)
                AS drifted_columns
        FROM monitoring.live_windows t ORDER BY window_start DESC, window_end LIMIT {HOURS}
        """,  # noqa: S608
    ),
    # There is one for each prediction: to look for the latest month at each would take seconds.
    "outcomes": Query(
        answer.Outcome,
        f"""
        SELECT source, left(month::text, 7) AS month, role, model_version,
            count(*) AS predictions, avg(abs(prediction - minutes)) AS mae,
            avg((minutes BETWEEN lower AND upper)::int)::double precision AS coverage_80
        FROM monitoring.outcomes
        JOIN (
            SELECT source, max(month) AS latest FROM monitoring.outcomes GROUP BY source
        ) known USING (source)
        WHERE month > latest - interval '{MONTHS} months'
        GROUP BY source, month, role, model_version ORDER BY month DESC, role, model_version
        """,  # noqa: S608
    ),
    "retrainings": Query(
        answer.Retraining,
        f"""
        SELECT source, left(month::text, 7) AS month, requested_at, status, reason,
            pipeline_run_id::text AS pipeline_run_id, drill
        FROM monitoring.retrainings ORDER BY requested_at DESC LIMIT {ROWS}
        """,  # noqa: S608
    ),
    "alarms": Query(
        answer.Alarm,
        f"""
        SELECT raised_at, kind, subject, message, sent_to, drill
        FROM monitoring.alarms WHERE raised_at > now() - interval '{RECENT_DAYS} days'
        ORDER BY raised_at DESC LIMIT {2 * ROWS}
        """,  # noqa: S608
    ),
}
