"""From the spool to Postgres: one process of a machine at a time, whoever wrote the predictions."""

import logging
import os
import threading
import time
from datetime import UTC, datetime
from typing import Final

import msgspec
import psycopg2

from duration_service.metrics import LOG_DATABASE_UP, LOG_DROPPED, LOG_SPOOLED_BYTES, LOG_WRITTEN
from duration_service.predictions_table import DELETED_AT_ONCE, PredictionsTable
from duration_service.spool import BATCH_BYTES, Segment, Spool, batches, read
from taxi_duration.contract import PredictionLogView
from taxi_duration.errors import UNREADABLE

log = logging.getLogger(__name__)

VIEW: Final = "view.json"
# How often old predictions are looked for, while there are none.
RETENTION_SECONDS: Final = 60
# How long a process that ends waits for its turn to ship, and for what it ships.
LAST_TURN_SECONDS: Final = 5
# Segments that Postgres will never take, whereas all other errors are a matter of time.
UNUSABLE: Final = (psycopg2.DataError, psycopg2.IntegrityError)


class Shipper:
    """A thread that empties the spool into Postgres, while it is this process's turn."""

    def __init__(
        self, spool: Spool, table: PredictionsTable, seconds: float, keep_days: int
    ) -> None:
        self.spool = spool
        self.table = table
        self.seconds = seconds
        self.keep_days = keep_days
        self._error: str | None = None
        self._turn: int | None = None
        self.retention_due = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Ship from a thread, every so many seconds."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, once it has tried to ship what is left."""
        self._stopped.set()
        if self._thread.is_alive():
            # A Postgres that hangs may not keep the service from ending: the spool stays.
            self._thread.join(2 * LAST_TURN_SECONDS)

    def ship(self) -> bool:
        """Where it is this process's turn, write all that waits; False where it is another's."""
        if not self._has_turn():
            return False
        try:
            self._ship_all()
            self._apply_retention()
        except psycopg2.Error as error:
            self.table.close()
            self._saw_database(_reason(error))
            self.spool.put_together()
        else:
            self._saw_database(None)
        return True

    def end_turn(self) -> None:
        """Leave Postgres, and the turn to another process."""
        self.table.close()
        if self._turn is not None:
            os.close(self._turn)
        self._turn = None

    def _run(self) -> None:
        while not self._stopped.wait(self.seconds):
            self._ship_or_log()
        # Another process that ends as well may have seen the spool before this one's last segment.
        end = time.monotonic() + LAST_TURN_SECONDS
        while not self._ship_or_log() and time.monotonic() < end:
            time.sleep(0.05)
        self.end_turn()

    def _ship_or_log(self) -> bool:
        try:
            return self.ship()
        except Exception as error:  # the log outlives whatever the disk comes up with
            if not isinstance(error, OSError):
                log.exception("predictions are not shipped")
            else:
                self._saw(f"the spool cannot be used: {error}")
            return True

    def _ship_all(self) -> None:
        waiting = self.spool.waiting()
        for batch in batches(waiting, BATCH_BYTES):
            self._write(batch)
        if not waiting:
            self.table.ping()

    def _write(self, batch: list[Segment]) -> None:
        """Write a batch; where Postgres refuses it, each segment alone, to find the bad one."""
        try:
            LOG_WRITTEN.inc(self.table.write(read(batch)))
        except UNUSABLE as error:
            if len(batch) == 1:
                self._give_up(batch[0], error)
            else:
                for segment in batch:
                    self._write([segment])
        else:
            self.spool.remove(batch)

    def _give_up(self, segment: Segment, error: psycopg2.Error) -> None:
        self.spool.set_aside(segment)
        LOG_DROPPED.inc(segment.rows)
        log.error("%d predictions are refused and put aside: %s", segment.rows, _reason(error))

    def _apply_retention(self) -> None:
        """Delete some of what is too old; more at the next turn, where there is more."""
        if time.monotonic() < self.retention_due:
            return
        if self.table.delete_older(self.keep_days) < DELETED_AT_ONCE:
            self.retention_due = time.monotonic() + RETENTION_SECONDS

    def _has_turn(self) -> bool:
        if self._turn is None:
            self._turn = self.spool.lock()
            if self._turn is not None:
                self.spool.tidy()
        return self._turn is not None

    def _saw_database(self, error: str | None) -> None:
        waiting = sum(segment.bytes for segment in self.spool.waiting())
        LOG_DATABASE_UP.set(error is None)
        LOG_SPOOLED_BYTES.set(waiting)
        view = PredictionLogView(error is None, waiting, datetime.now(UTC), error)
        self.spool.tell(VIEW, msgspec.json.encode(view))
        self._saw(error)

    def _saw(self, error: str | None) -> None:
        """Log how it went where that is news."""
        if error and error != self._error:
            log.warning("predictions wait on disk: %s", error)
        elif self._error and not error:
            log.info("Postgres takes predictions again")
        self._error = error


def view(spool: Spool) -> PredictionLogView | None:
    """What the process whose turn it is last saw; None before it looked.

    It is not brought to the disk: a machine that lost its power may have it with nothing in it.
    """
    try:
        return msgspec.json.decode((spool.folder / VIEW).read_bytes(), type=PredictionLogView)
    except (OSError, *UNREADABLE):
        return None


def _reason(error: psycopg2.Error) -> str:
    """The error in a line, with what to do where that is known."""
    if isinstance(error, psycopg2.errors.UndefinedTable):
        return "Postgres has no table monitoring.predictions yet; the pipeline's next run makes it"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'Postgres went away'}"
