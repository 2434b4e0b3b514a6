"""How requests for predictions were answered, minute by minute, in Postgres: 2xx, 4xx or 5xx.

The log of predictions has only what was answered well, and metrics only sums since a process
began. Here each process counts its own minutes, and writes them under a name of its own from a
thread beside the requests. A minute's count is written whole and again, and so never counted twice.
"""

import logging
import secrets
import threading
import time
from collections import Counter
from typing import Final, Self

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812  the name of a class
from psycopg2.extras import execute_values

from duration_service.observations import UNKNOWN, Answered, Handled
from duration_service.predictions_table import NETWORK, STATEMENT_SECONDS, postgres_dsn
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

EXTENSION: Final = "duration_service.request_counts"
ENDPOINT: Final = "/predict"
REFUSED: Final = "4xx"
# What a service that is killed loses of its counts, at most.
WRITE_SECONDS: Final = 5
# How long minutes wait for a Postgres that is away, in memory.
MOST_MINUTES: Final = 24 * 60
# How long a process that ends waits for Postgres to take what is left.
LAST_SECONDS: Final = 5

_UPSERT: Final = """
    INSERT INTO monitoring.requests (minute, instance, status, requests) VALUES %s
    ON CONFLICT (minute, instance, status) DO UPDATE SET requests = excluded.requests
"""
_ROW: Final = "(to_timestamp(%s), %s, %s, %s)"


class RequestCounts:
    """The observer that counts, and the thread that writes."""

    def __init__(self, dsn: str, seconds: float = WRITE_SECONDS) -> None:
        self.dsn = dsn
        self.seconds = seconds
        self._lock = threading.Lock()
        # The minute that was counted or written last.
        self._latest = 0
        self._name()
        # By minutes since the epoch, name and status.
        self._counts: Counter[tuple[int, str, str]] = Counter()
        self._connection: Connection | None = None
        self._fails = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="request-counts", daemon=True)

    def _name(self) -> None:
        """Take a name that nobody has: counts of a minute are its own.

        A clock that is set back shows minutes again whose counts were written; they stay.
        """
        self.instance = secrets.token_hex(8)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """A counter that writes, None where no database is set.

        Raises SettingsError where the database's address cannot be used.
        """
        dsn = postgres_dsn(settings)
        if dsn is None:
            return None
        counts = cls(dsn)
        counts._thread.start()
        return counts

    def observe(self, answered: list[Answered], handled: list[Handled]) -> None:  # noqa: ARG002
        """Count the requests for predictions, and those refused before they named a page.

        The latter are no failures of the service, even where their status is 501.
        """
        with self._lock:
            # Not before: a minute that `write` takes for over shall get nothing any longer.
            minute = _minute()
            if minute < self._latest:
                self._name()
            self._latest = minute
            for request in handled:
                if request.method == UNKNOWN:
                    self._counts[minute, self.instance, REFUSED] += 1
                elif request.endpoint == ENDPOINT:
                    self._counts[minute, self.instance, f"{request.status // 100}xx"] += 1

    def write(self) -> int:
        """Write what is not known to be written; returns how many rows. Raises psycopg2.Error."""
        with self._lock:
            now = _minute()
            self._latest = max(self._latest, now)
            for old in [key for key in self._counts if key[0] < now - MOST_MINUTES]:
                del self._counts[old]
            counts = dict(self._counts)
        if not counts:
            return 0
        rows = [(60 * key[0], *key[1:], number) for key, number in counts.items()]
        with self._connected() as connection, connection.cursor() as cursor:
            execute_values(cursor, _UPSERT, rows, _ROW)
        with self._lock:
            for key, number in counts.items():
                # To a minute that is over nothing is added.
                if key[0] < now and self._counts[key] == number:
                    del self._counts[key]
        return len(rows)

    def close(self) -> None:
        """End the thread, once it has tried to write what is left."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(LAST_SECONDS)

    def _run(self) -> None:
        while not self._stopped.wait(self.seconds):
            self._write_or_log()
        self._write_or_log()
        self._leave()

    def _write_or_log(self) -> None:
        try:
            self.write()
        except psycopg2.Error as error:
            self._leave()
            if not self._fails:
                log.warning("counts of requests wait in memory: %s", str(error).partition("\n")[0])
            self._fails = True
        else:
            self._fails = False

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            options = f"-c statement_timeout={STATEMENT_SECONDS}s"
            self._connection = psycopg2.connect(self.dsn, **NETWORK, options=options)
        return self._connection

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _minute() -> int:
    return int(time.time() // 60)
