"""The page's reading of Postgres: short, one at a time, and never in the way of a prediction."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Any, Final, Self

import msgspec
import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ
from psycopg2.extensions import connection as Connection  # noqa: N812  the name of a class

from duration_service.monitoring.answer import Figures
from duration_service.monitoring.queries import QUERIES, Query
from duration_service.predictions_table import postgres_dsn
from duration_service.problems import ProblemError
from taxi_duration.settings import PREFIX, Settings

EXTENSION: Final = "duration_service.monitoring"
# How long figures are good for; they change by the hour, and pages are loaded again by the second.
FRESH_SECONDS: Final = 5
# A query that takes longer is left out, and a read that takes longer is given up. Postgres may
# also hang without a word: so the end of the read is watched here as well.
STATEMENT_SECONDS: Final = 1
READ_SECONDS: Final = 3
OPTIONS: Final = (
    f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout=200ms"
    " -c default_transaction_read_only=on -c timezone=UTC"
)
# Before the pipeline's first run there is no table, and later there may be a former version of one.
NOT_THERE: Final = (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn)
TOO_SLOW: Final = (psycopg2.errors.QueryCanceled, psycopg2.errors.LockNotAvailable)


class UnreadError(Exception):
    """Why there are no figures; `seconds` after which to ask again, None where that is no help."""

    def __init__(self, reason: str, seconds: int | None = FRESH_SECONDS) -> None:
        super().__init__(reason)
        self.seconds = seconds

    def problem(self) -> ProblemError:
        """The same as a program is told of it."""
        headers = {} if self.seconds is None else {"Retry-After": str(self.seconds)}
        return ProblemError(503, str(self), headers=headers)


class Reader:
    """Keeps what was read last; one thread of the process reads at a time, the others never wait.

    `figures` may be called from any thread.
    """

    def __init__(self, dsn: str | None, model: str) -> None:
        self.dsn = dsn
        self.model = model
        self._reading = threading.Lock()
        self._last: Figures | UnreadError | None = None
        self._until = 0.0

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises SettingsError where the database's address cannot be used."""
        return cls(postgres_dsn(settings), settings.model_name)

    def figures(self) -> Figures:
        """All figures, some seconds old at most, or the last ones while others are being read.

        Raises UnreadError where there are none.
        """
        if self.dsn is None:
            raise UnreadError(
                "There are no figures: this service knows no database."
                f" Set {PREFIX}DATABASE_URL to the one of the pipeline.",
                None,
            )
        if time.monotonic() >= self._until and self._reading.acquire(blocking=False):
            try:
                self._last = self._read(self.dsn)
                self._until = time.monotonic() + FRESH_SECONDS
            finally:
                self._reading.release()
        last = self._last
        if last is None:
            raise UnreadError("The figures are being read at this moment. Ask again.", 1)
        if isinstance(last, UnreadError):
            raise UnreadError(str(last), last.seconds)
        return last

    def _read(self, dsn: str) -> Figures | UnreadError:
        try:
            with connected(dsn, time.monotonic() + READ_SECONDS) as database:
                return read(database, self.model)
        except (psycopg2.Error, TimeoutError) as error:
            lines = str(error).strip().splitlines()
            return UnreadError(f"Postgres cannot be read: {lines[0] if lines else 'it went away'}.")


class Database:
    """A connection on which nothing waits longer than until `end`, by the monotonic clock."""

    def __init__(self, connection: Connection, end: float) -> None:
        self._connection = connection
        self._end = end
        self._wait()

    def rows(self, sql: str, values: dict[str, str]) -> list[dict[str, Any]]:
        """What a query answers, by the columns' names. Raises psycopg2.Error and TimeoutError."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            self._wait()
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _wait(self) -> None:
        while (state := self._connection.poll()) != POLL_OK:
            with DefaultSelector() as selector:
                selector.register(
                    self._connection.fileno(), EVENT_READ if state == POLL_READ else EVENT_WRITE
                )
                if not selector.select(max(0, self._end - time.monotonic())):
                    raise TimeoutError(f"it did not answer within {READ_SECONDS} seconds")


@contextmanager
def connected(dsn: str, end: float) -> Iterator[Database]:
    """A connection of its own, without a pool: a page in some seconds is worth no more."""
    connection = psycopg2.connect(
        dsn, options=OPTIONS, application_name="taxi-duration-monitoring", async_=True
    )
    try:
        yield Database(connection, end)
    finally:
        connection.close()


def read(database: Database, model: str) -> Figures:
    """All lists; one that cannot be read stays empty and is in `unread`."""
    lists: dict[str, list[Any]] = {}
    absent: list[str] = []
    unread: dict[str, str] = {}
    for name, query in QUERIES.items():
        lists[name] = []
        try:
            lists[name] = _typed(query, database.rows(query.sql, {"model": model}))
        except NOT_THERE:
            absent.append(name)
        except TOO_SLOW:
            unread[name] = f"Postgres took longer than {STATEMENT_SECONDS} s for this."
        except msgspec.ValidationError as error:
            unread[name] = f"The table is of another version than this service: {error}."
    return Figures(read_at=datetime.now(UTC), absent=absent, unread=unread, **lists)


def _typed(query: Query, rows: list[dict[str, Any]]) -> list[Any]:
    typed: list[Any] = msgspec.convert(rows, type=list[query.kind])  # type: ignore[name-defined]
    return typed
