"""What really happened to the trips that the service was asked about."""

from datetime import timedelta
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import Connection, delete, func, select, text

from taxi_duration.model.dataset import target_minutes
from taxi_duration.monitoring.tables import outcomes, predictions
from taxi_duration.trips.months import Month

# The City rounds starts to 15 minutes, and a caller may ask some hours ahead.
_SLACK: Final = timedelta(days=1)

_JOIN: Final = text("""
    INSERT INTO monitoring.outcomes (
        prediction_id, role, trip_id, source, month, model_version, predicted_at, prediction, lower,
        upper, minutes, matched_at
    )
    SELECT id, role, trip_id, :source, :month, model_version, predicted_at, prediction, lower,
        upper, trip.minutes, clock_timestamp()
    FROM monitoring.predictions
    JOIN unnest(CAST(:ids AS text[]), CAST(:minutes AS double precision[]))
        AS trip (trip_id, minutes) USING (trip_id)
    WHERE trip_start_timestamp >= :first AND trip_start_timestamp < :last
    ON CONFLICT (prediction_id, role) DO UPDATE SET
        source = excluded.source, month = excluded.month, minutes = excluded.minutes,
        matched_at = excluded.matched_at
""")


def asked_about(connection: Connection, month: Month) -> list[str]:
    """The ids that callers gave to trips of a month, each once; most may be no trip of the City."""
    start, first, last = predictions.c.trip_start_timestamp, *_bounds(month)
    query = (
        select(predictions.c.trip_id)
        .distinct()
        .where(predictions.c.trip_id.is_not(None), start >= first, start < last)
    )
    return list(connection.execute(query).scalars())


def record_outcomes(connection: Connection, source: str, month: Month, trips: pa.Table) -> int:
    """Join the predictions of these trips (`trip_id`, `trip_seconds`) with how long they took.

    Returns how many predictions have got an outcome, of the champion and of a challenger in shadow.
    A month that comes again brings its outcomes again, in the place of the former ones.
    """
    if not trips.num_rows:
        return 0
    first, last = _bounds(month)
    joined = connection.execute(
        _JOIN,
        {
            "source": source,
            "month": month.start.date(),
            "ids": trips["trip_id"].to_pylist(),
            "minutes": target_minutes(trips).tolist(),
            "first": first,
            "last": last,
        },
    )
    return int(joined.rowcount)


def delete_old_outcomes(connection: Connection, days: int) -> int:
    """Delete what was joined longer ago; returns how many."""
    limit = func.now() - timedelta(days=days)
    return int(connection.execute(delete(outcomes).where(outcomes.c.matched_at < limit)).rowcount)


def _bounds(month: Month) -> tuple[Any, Any]:
    return month.start - _SLACK, month.end + _SLACK
