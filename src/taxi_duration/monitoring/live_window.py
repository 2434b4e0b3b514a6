"""The live windows: what the service was asked in some hours, from the log of predictions."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import msgspec
import pyarrow as pa
from sqlalchemy import Connection, text

# The service's page asks these for its pictures: a whole day, and every area, of one trip.
PAGE_PICTURES: Final = ("page-day", "page-map")

_OF_WINDOW: Final = """
    FROM monitoring.predictions
    WHERE role = 'champion' AND predicted_at >= :start AND predicted_at < :end
    AND coalesce(trip_id, '') <> ALL(:pictures)
"""
_PAIRS: Final = text(f"""
    SELECT pickup_community_area, dropoff_community_area, model_version, count(*) {_OF_WINDOW}
    GROUP BY 1, 2, 3
""")
# All predictions of a request have its latency, and the first 26 hexadecimal digits of their ids.
_LATENCY: Final = text(f"""
    SELECT count(*), percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY seconds * 1000)
    FROM (
        SELECT min(latency_seconds) AS seconds {_OF_WINDOW}
        GROUP BY left(replace(id::text, '-', ''), 26)
    ) AS requests
""")  # noqa: S608  no part of it comes from outside
_SAMPLE: Final = text(f"""
    SELECT trip_start_timestamp, pickup_community_area, dropoff_community_area, prediction
    {_OF_WINDOW} ORDER BY md5(id::text || :seed) LIMIT :rows
""")
# The window's bounds are whole minutes.
_STATUSES: Final = text("""
    SELECT sum(requests) FILTER (WHERE status = '4xx'), sum(requests) FILTER (WHERE status = '5xx'),
        count(*) FROM monitoring.requests WHERE minute >= :start AND minute < :end
""")
ASKED_SCHEMA: Final = pa.schema(
    [
        ("trip_start_timestamp", pa.timestamp("us")),
        ("pickup_community_area", pa.int16()),
        ("dropoff_community_area", pa.int16()),
        ("prediction", pa.float64()),
    ]
)
PAIR_SCHEMA: Final = pa.schema(
    [
        ("pickup_community_area", pa.int16()),
        ("dropoff_community_area", pa.int16()),
        ("trips", pa.int64()),
    ]
)

# How the name of a window begins: with its start, so that names stand in order.
NAME: Final = "%Y-%m-%dT%H%MZ"


class Window(msgspec.Struct, frozen=True):
    """From a moment to another, UTC; the second one is not in it."""

    start: datetime
    end: datetime

    @classmethod
    def until(cls, moment: datetime, hours: int) -> Self:
        """The hours before a moment, to the minute; one without a zone is UTC."""
        end = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        end = end.replace(second=0, microsecond=0)
        return cls(end - timedelta(hours=hours), end)

    @property
    def name(self) -> str:
        """Such as `2026-01-31T0900Z-1h`, its start and length: the name of its folder in S3.

        The start alone would have `taxi live --hours 24` take the place of an hourly window.
        """
        return f"{self.start:{NAME}}-{(self.end - self.start) // timedelta(hours=1)}h"


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the service answered in a window; latencies are of requests, in milliseconds."""

    predictions: int
    answered_requests: int
    # Version that answered most of them; empty: nothing was asked.
    model_version: str
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    # Answered with 4xx and with 5xx; None: no request was counted, not even a good one.
    refused_requests: int | None = None
    failed_requests: int | None = None


def asked(connection: Connection, window: Window) -> tuple[Asked, pa.Table]:
    """All that was answered in the window, counted by Postgres; and its pairs, in PAIR_SCHEMA."""
    bounds = _bounds(window)
    rows = [tuple(row) for row in connection.execute(_PAIRS, bounds)]
    requests, quantiles = connection.execute(_LATENCY, bounds).one()
    versions: dict[str, int] = {}
    for *_, version, count in rows:
        versions[version] = versions.get(version, 0) + count
    refused, failed, counted = connection.execute(_STATUSES, bounds).one()
    p50, p95, p99 = quantiles or (None, None, None)
    found = Asked(
        predictions=sum(versions.values()),
        answered_requests=requests,
        model_version=max(versions, key=versions.__getitem__, default=""),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        refused_requests=int(refused or 0) if counted else None,
        failed_requests=int(failed or 0) if counted else None,
    )
    pairs = [
        dict(zip(PAIR_SCHEMA.names, (pickup, dropoff, count), strict=True))
        for pickup, dropoff, _, count in rows
    ]
    return found, pa.Table.from_pylist(pairs, PAIR_SCHEMA)


def asked_sample(connection: Connection, window: Window, rows: int, seed: int) -> pa.Table:
    """At most so many of the window's predictions, in ASKED_SCHEMA; the same for the same seed."""
    query = {**_bounds(window), "rows": rows, "seed": str(seed)}
    found = connection.execute(_SAMPLE, query).mappings()
    return pa.Table.from_pylist([dict(row) for row in found], ASKED_SCHEMA)


def _bounds(window: Window) -> dict[str, Any]:
    return {"start": window.start, "end": window.end, "pictures": list(PAGE_PICTURES)}
