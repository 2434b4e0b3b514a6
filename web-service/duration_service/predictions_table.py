"""The table `monitoring.predictions` in Postgres, as the service writes it.

A line of the spool is one answered request: its columns, tab-separated, are those of the temporary
table here, so that Postgres unpacks the trips and no process that serves does.
"""

import io
from typing import Final

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812  the name of a class

from taxi_duration.errors import SettingsError
from taxi_duration.settings import PREFIX, Settings

DRIVER: Final = "postgresql+psycopg2://"
# So that a network that swallows everything costs seconds, not the minutes of TCP's own patience.
CONNECT_SECONDS: Final = 3
STATEMENT_SECONDS: Final = 30
NETWORK: Final = {
    "connect_timeout": CONNECT_SECONDS,
    "tcp_user_timeout": 1000 * STATEMENT_SECONDS,
    "application_name": "taxi-duration-service",
}
DELETED_AT_ONCE: Final = 10_000

_STAGE: Final = """
    CREATE TEMPORARY TABLE answered (
        request text, role text, at double precision, seconds double precision, version text,
        run_id text, pickup real[], dropoff real[], start bigint[], lower double precision[],
        prediction double precision[], upper double precision[], trip_ids jsonb
    ) ON COMMIT DELETE ROWS
"""
# JSON has no control characters, so nothing has to be quoted where the quote is one.
_COPY: Final = r"COPY answered FROM STDIN WITH (FORMAT csv, DELIMITER E'\t', QUOTE E'\x01')"
# A prediction's id is its request's with the place in the request.
_UNPACK: Final = """
    INSERT INTO monitoring.predictions (
        id, role, predicted_at, trip_id, pickup_community_area, dropoff_community_area,
        trip_start_timestamp, prediction, lower, upper, model_version, run_id, latency_seconds
    )
    SELECT
        (request || lpad(to_hex(place - 1), 6, '0'))::uuid, role, to_timestamp(at), trip.id,
        trip.pickup, trip.dropoff,
        timestamp '1970-01-01' + trip.start * interval '1 microsecond',
        trip.prediction, trip.lower, trip.upper, version, run_id, seconds
    FROM answered, ROWS FROM (
        jsonb_array_elements_text(trip_ids), unnest(pickup), unnest(dropoff), unnest(start),
        unnest(lower), unnest(prediction), unnest(upper)
    ) WITH ORDINALITY AS trip (id, pickup, dropoff, start, lower, prediction, upper, place)
    ON CONFLICT DO NOTHING
"""
_DELETE: Final = """
    DELETE FROM monitoring.predictions WHERE (id, role) IN (
        SELECT id, role FROM monitoring.predictions
        WHERE predicted_at < now() - make_interval(days => %s)
        ORDER BY predicted_at LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


class PredictionsTable:
    """The table, over a connection that is made when it is needed."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._connection: Connection | None = None

    def write(self, lines: bytes) -> int:
        """Add the predictions of whole lines; returns how many were not there yet.

        All are there afterwards, or none. Raises psycopg2.Error.
        """
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.copy_expert(_COPY, io.BytesIO(lines))
            cursor.execute(_UNPACK)
            return int(cursor.rowcount)

    def ping(self) -> None:
        """Raises psycopg2.Error where predictions could not be written now."""
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT FROM monitoring.predictions LIMIT 0")

    def delete_older(self, days: int) -> int:
        """Delete some predictions that are older; returns how many. Raises psycopg2.Error."""
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute(_DELETE, (days, DELETED_AT_ONCE))
            return int(cursor.rowcount)

    def close(self) -> None:
        """Leave Postgres; the next call connects again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            connection = psycopg2.connect(self.dsn, **NETWORK)
            with connection, connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = %s", (f"{STATEMENT_SECONDS}s",))
                cursor.execute(_STAGE)
            self._connection = connection
        return self._connection


def postgres_dsn(settings: Settings) -> str | None:
    """What psycopg2 connects with, None where no database is set.

    Raises SettingsError where the address cannot be used; it says nothing of what it holds.
    """
    if settings.database_url is None:
        return None
    url = settings.database_url.get_secret_value()
    dsn = url.replace(DRIVER, "postgresql://", 1)
    try:
        psycopg2.extensions.parse_dsn(dsn)
        usable = url.startswith(DRIVER)
    except psycopg2.ProgrammingError:
        usable = False
    if not usable:
        raise SettingsError(f"{PREFIX}DATABASE_URL cannot be used.", f"Write it as `{DRIVER}…`.")
    return dsn
