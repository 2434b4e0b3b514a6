"""Every answer on its way to Postgres: onto this machine's disk first, whatever Postgres does."""

import logging
import secrets
import threading
import time
from typing import Final, Literal, Self

import msgspec
import numpy as np
from flask import current_app
from numpy.typing import NDArray

from duration_service import shipping
from duration_service.metrics import LOG_DROPPED
from duration_service.observations import Answered, Handled
from duration_service.predictions_table import PredictionsTable, postgres_dsn
from duration_service.shipping import Shipper
from duration_service.spool import BATCH_BYTES, Spool
from taxi_duration.contract import PredictionLogView
from taxi_duration.model.features import FEATURES, Floats
from taxi_duration.settings import PREFIX, Settings

log = logging.getLogger(__name__)

EXTENSION: Final = "duration_service.prediction_log"
Role = Literal["champion", "challenger"]
# So long before it would be too old, or at half its time, an answer is written: on a machine with
# too much to do the thread comes late.
AHEAD_SECONDS: Final = 0.4
MOST_BUFFERED: Final = BATCH_BYTES // 2
NEVER_LOOKED: Final = PredictionLogView(None, None, None, None)

_PICKUP, _DROPOFF, _DAY, _HOUR = (
    FEATURES.index(name) for name in ("pickup_area", "dropoff_area", "day", "hour")
)
_HOUR_MICROSECONDS: Final = 3_600_000_000
_DAY_MICROSECONDS: Final = 24 * _HOUR_MICROSECONDS
_encode = msgspec.json.Encoder().encode


class PredictionLog:
    """The observer that logs; it leaves the rest to the shipper of whichever process has its turn.

    `log` may be called from any thread.
    """

    def __init__(self, spool: Spool, shipper: Shipper, seconds: float) -> None:
        self.spool = spool
        self.shipper = shipper
        self._write_after = seconds - min(AHEAD_SECONDS, seconds / 2)
        # With the number of an answer it makes an id that no other process makes.
        self._process = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._rows = self._bytes = 0
        self._first = 0.0
        # Why the disk did not take what this process wrote last, None where it did.
        self.disk_error: str | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """A log whose shipper runs, None where no database is set.

        Raises SettingsError where the database's address cannot be used.
        """
        dsn = postgres_dsn(settings)
        if dsn is None:
            log.info("predictions are not logged: %sDATABASE_URL is not set", PREFIX)
            return None
        seconds = settings.prediction_log_seconds
        spool = Spool(
            settings.home / "service" / "predictions",
            settings.prediction_log_max_megabytes * 1024 * 1024,
        )
        shipper = Shipper(spool, PredictionsTable(dsn), seconds, settings.prediction_log_days)
        shipper.start()
        return cls(spool, shipper, seconds)

    def observe(self, answered: list[Answered], handled: list[Handled]) -> None:  # noqa: ARG002
        """Log the champion's answers; write what has waited for long enough."""
        for answer in answered:
            self.log(answer, "champion")
        with self._lock:
            if self._lines and time.monotonic() >= self._first + self._write_after:
                self._write()

    def log(self, answered: Answered, role: Role) -> None:
        """Log the answers of one request.

        A challenger's has the number and the trips of the champion's; its id is the same, so that
        the two can be compared.
        """
        line = _line(self._process, answered, role)
        with self._lock:
            if not self._lines:
                self._first = time.monotonic()
            self._lines.append(line)
            self._rows += len(answered.minutes)
            self._bytes += len(line)
            if self._bytes >= MOST_BUFFERED:
                self._write()

    def close(self) -> None:
        """Write what is left, and try to ship it."""
        with self._lock:
            if self._lines:
                self._write()
        self.shipper.stop()

    def _write(self) -> None:
        lines, rows = b"".join(self._lines), self._rows
        self._lines, self._rows, self._bytes = [], 0, 0
        try:
            dropped = self.spool.add(lines, rows)
        except OSError as error:
            dropped = rows
            if not self.disk_error:
                log.error("predictions are lost: the disk takes none: %s", error)  # noqa: TRY400
            self.disk_error = error.strerror or type(error).__name__
        else:
            self.disk_error = None
        if dropped:
            LOG_DROPPED.inc(dropped)


def prediction_log_view() -> PredictionLogView | None:
    """How the log of the application that answers does; None where it is off, or nobody looked."""
    found: PredictionLog | None = current_app.extensions[EXTENSION]
    if found is None:
        return None
    view = shipping.view(found.spool)
    if found.disk_error is None:
        return view
    return msgspec.structs.replace(view or NEVER_LOOKED, disk_error=found.disk_error)


def _line(process: str, answered: Answered, role: Role) -> bytes:
    """A line as `predictions_table` copies it.

    24 bits of a trip's id are its place in the request, 40 the request's number.
    """
    champion = answered.served.version
    head = (
        f"{process}{answered.number:010x}\t{role}\t{answered.at!r}\t{answered.seconds!r}"
        f"\t{champion.version}\t{champion.run_id}"
    )
    columns = _of_one if len(answered.minutes) == 1 else _of_many
    ids = _trip_ids([trip.trip_id for trip in answered.trips])
    return b"\t".join((head.encode(), columns(answered.features, answered.minutes), ids)) + b"\n"


def _of_one(features: Floats, minutes: Floats) -> bytes:
    """The arrays of one trip: the same as of many, in a third of the time."""
    row = features[0].tolist()
    start = int(row[_DAY]) * _DAY_MICROSECONDS + round(row[_HOUR] * _HOUR_MICROSECONDS)
    values = (row[_PICKUP], row[_DROPOFF], start, *minutes[0].tolist())
    return b"{" + _encode(values)[1:-1].replace(b",", b"}\t{") + b"}"


def _of_many(features: Floats, minutes: Floats) -> bytes:
    """The arrays, column by column, which takes 4 ms for 10,000 trips."""
    starts = _start_microseconds(features)
    columns = (features[:, _PICKUP], features[:, _DROPOFF], starts, *minutes.T)
    return b"\t".join(map(_array, columns))


def _start_microseconds(features: Floats) -> NDArray[np.int64]:
    """When the trips start, in microseconds since 1970 on Chicago's clocks."""
    days = features[:, _DAY].astype(np.int64) * _DAY_MICROSECONDS
    return np.asarray(days + np.rint(features[:, _HOUR] * _HOUR_MICROSECONDS).astype(np.int64))


def _array(values: NDArray[np.generic]) -> bytes:
    """A Postgres array, which is JSON's but for the brackets; NaN is null in both."""
    return b"{" + _encode(values.tolist())[1:-1] + b"}"


def _trip_ids(ids: list[str | None]) -> bytes:
    """A JSON list, empty where no trip has an id."""
    if set(ids) == {None}:
        return b""
    encoded = _encode(ids)
    # Postgres' text cannot hold NUL.
    return encoded if b"\\u0000" not in encoded else _encode([_without_nul(one) for one in ids])


def _without_nul(trip_id: str | None) -> str | None:
    return trip_id and trip_id.replace("\0", "\N{REPLACEMENT CHARACTER}")
