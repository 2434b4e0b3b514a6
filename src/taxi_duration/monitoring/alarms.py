"""Alarms: what a person has to know, sent once, and kept in Postgres."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import msgspec
from sqlalchemy import func, insert, or_, select, update
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from taxi_duration.errors import AlarmError, MonitoringError
from taxi_duration.monitoring.database import connect, migrate
from taxi_duration.monitoring.messengers import messengers
from taxi_duration.monitoring.tables import alarms
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

# A chat service that is started anew is back by then; the run waits meanwhile.
TRIES: Final = 3
FIRST_PAUSE_SECONDS: Final = 0.5
# What was not sent for longer is no news.
WAITING_DAYS: Final = 7
# What is kept of an alarm until it is sent, which may be never: Mage kills the process of a run in
# which a block failed some two seconds later, whatever its callback is at.
UNFINISHED: Final = "it was being sent, and how that ended is not known"
# Longer than all ways can take for all their tries.
SENDING: Final = timedelta(minutes=2)

Kind = Literal["run failed", "data refused", "drift", "quality", "retraining"]


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """What happened (`kind`), to what (`subject`), and in a sentence or two."""

    kind: Kind
    subject: str
    message: str
    drill: bool = False

    @property
    def title(self) -> str:
        """One line; a drill says so first."""
        return f"{'DRILL: ' if self.drill else ''}{self.kind}: {self.subject}"


class Sent(msgspec.Struct, frozen=True):
    """Who took an alarm, and what failed."""

    to: list[str]
    problems: list[str]


def raise_alarm(settings: Settings, alarm: Alarm) -> None:
    """Send an alarm and keep it; one that was told before is not sent again, unless in a drill.

    Each way is tried TRIES times, and an alarm that reached nobody does not count as told. A way
    that fails stops neither the others nor the run: it is logged and kept. The alarm is kept before
    it is sent, so that none is lost with the process. Where Postgres is away it is sent all the
    same, and MonitoringError raised after that.
    """
    try:
        if not alarm.drill and _was_told(settings, alarm):
            log.info("%s was told before", alarm.title)
            return
    except MonitoringError as error:
        log.warning("whether %s was told before is not known: %s", alarm.title, error)
    log.warning("ALARM %s. %s", alarm.title, alarm.message)
    raised_at = datetime.now(UTC)
    try:
        number = _keep(settings, alarm, raised_at)
    finally:
        sent = _send(settings, alarm, raised_at)
    _note(settings, number, sent)


def send_waiting(settings: Settings) -> None:
    """Send the alarms of the last WAITING_DAYS days that reached nobody, each where it is kept."""
    now = datetime.now(UTC)
    query = select(alarms).where(
        ~alarms.c.drill,
        alarms.c.raised_at > now - timedelta(days=WAITING_DAYS),
        func.cardinality(alarms.c.sent_to) == 0,
        alarms.c.problem.is_not(None),
        or_(alarms.c.problem != UNFINISHED, alarms.c.raised_at < now - SENDING),
    )
    with connect(settings) as connection:
        migrate(connection)
        rows = connection.execute(query.order_by(alarms.c.id)).all()
    for row in rows:
        alarm = Alarm(kind=row.kind, subject=row.subject, message=row.message)
        if not _was_told(settings, alarm):
            _note(settings, row.id, _send(settings, alarm, row.raised_at))


def _send(settings: Settings, alarm: Alarm, raised_at: datetime) -> Sent:
    facts = {**msgspec.structs.asdict(alarm), "raised_at": raised_at.isoformat()}
    sent = Sent([], [])
    patiently = Retrying(
        retry=retry_if_exception_type(AlarmError),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(FIRST_PAUSE_SECONDS),
        reraise=True,
    )
    for name, send in messengers(settings).items():
        try:
            patiently(send, f"[{settings.model_name}] {alarm.title}", alarm.message, facts)
            sent.to.append(name)
        except AlarmError as error:
            log.warning("%s: %s", name, error)
            sent.problems.append(f"{name}: {error}")
    return sent


def _was_told(settings: Settings, alarm: Alarm) -> bool:
    same = select(alarms.c.id).where(
        alarms.c.kind == alarm.kind,
        alarms.c.subject == alarm.subject,
        ~alarms.c.drill,
        # Where no way is set nobody is told, and nothing has failed.
        or_(func.cardinality(alarms.c.sent_to) > 0, alarms.c.problem.is_(None)),
    )
    with connect(settings) as connection:
        migrate(connection)
        return connection.execute(same.limit(1)).first() is not None


def _keep(settings: Settings, alarm: Alarm, raised_at: datetime) -> int:
    """Write an alarm that is about to be sent, if there is a way; returns its number."""
    row = {
        **msgspec.structs.asdict(alarm),
        "raised_at": raised_at,
        "sent_to": [],
        "problem": UNFINISHED if messengers(settings) else None,
    }
    with connect(settings) as connection:
        migrate(connection)
        number = connection.execute(insert(alarms).values(row).returning(alarms.c.id))
        return int(number.scalar_one())


def _note(settings: Settings, number: int, sent: Sent) -> None:
    """Write who took an alarm, and what failed."""
    found = {"sent_to": sent.to, "problem": "; ".join(sent.problems) or None}
    with connect(settings) as connection:
        connection.execute(update(alarms).where(alarms.c.id == number).values(found))
