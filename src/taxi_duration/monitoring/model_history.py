"""Which version served when: every change of an alias, in an append-only table."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, insert, select

from taxi_duration.contract import CHICAGO
from taxi_duration.monitoring.database import connect, migrate
from taxi_duration.monitoring.tables import model_history
from taxi_duration.registry.champion import ALIAS
from taxi_duration.registry.versions import Change
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month

ROLLBACK: Final = "rollback"
# The first half of the key of the lock; the second is made of the model's name.
_LOCK: Final = 0x7A_C5_1E


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A version that held an alias from one moment (UTC) to another, and what put it there."""

    alias: str
    # Empty: no version held it.
    version: str
    since: datetime
    # None: it holds it still.
    until: datetime | None
    former: str
    action: str
    by: str
    reason: str
    # The pipeline's run in MLflow; empty: a person, or from outside.
    run_id: str

    def held_at(self, moment: datetime) -> bool:
        """Whether the version held the alias at a moment; one without a zone is UTC."""
        at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return self.since <= at and (self.until is None or at < self.until)


def lock(connection: Connection, model: str) -> None:
    """Wait until nobody else changes the aliases of the model; held until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(model))))


def moment(connection: Connection) -> datetime:
    """The database's time of now; that of the transaction is from before it waited."""
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now


def append(connection: Connection, model: str, change: Change) -> None:
    """Add a change to the history."""
    row = {
        "model": model,
        "alias": change.alias,
        "action": change.action,
        "from_version": change.former or None,
        "to_version": change.version or None,
        "changed_by": change.by,
        "reason": change.reason,
        "run_id": change.run_id or None,
        "changed_at": change.at,
    }
    connection.execute(insert(model_history).values(row))


def changes(connection: Connection, model: str, alias: str = "") -> list[Change]:
    """All changes of the model's aliases, or of one, the earliest first."""
    query = select(model_history).where(model_history.c.model == model).order_by("id")
    if alias:
        query = query.where(model_history.c.alias == alias)
    return [_change(dict(row)) for row in connection.execute(query).mappings()]


def history(settings: Settings, alias: str = "") -> list[Period]:
    """Which version held an alias from when to when, and why; the earliest first."""
    with connect(settings) as connection:
        migrate(connection)
        return periods(changes(connection, settings.model_name, alias))


def periods(changed: list[Change]) -> list[Period]:
    """Each change with its end, which is the next change of the same alias."""
    ends: dict[str, datetime] = {}
    found = []
    for change in reversed(changed):
        found.append(_period(change, ends.get(change.alias)))
        ends[change.alias] = change.at
    return found[::-1]


def served_during(connection: Connection, model: str, month: Month) -> list[str]:
    """The versions that were champion at some time of a month (Chicago's), the earliest first."""
    start, end = (moment.replace(tzinfo=CHICAGO) for moment in (month.start, month.end))
    held = periods(changes(connection, model, ALIAS))
    versions = [p.version for p in held if p.since < end and (p.until is None or start < p.until)]
    return [version for version in dict.fromkeys(versions) if version]


def former(changed: list[Change]) -> str:
    """The version that a rollback puts back; empty where there is none.

    A rollback takes away what it rolled back, so that the next one goes further back and never to
    a version that was found to be bad, unless somebody promoted that again.
    """
    line: list[str] = []
    for change in changed:
        if change.action == ROLLBACK and change.version in line:
            line = _rolled_back(line, change.version)
        elif change.version and change.version not in line[-1:]:
            line.append(change.version)
    holds = bool(changed and changed[-1].version)
    return "".join(line[:-1][-1:] if holds else line[-1:])


def _rolled_back(line: list[str], version: str) -> list[str]:
    """The line up to the last time of a version, without those that came after it.

    Nothing comes after the version that served last: back it comes where nobody held the alias.
    """
    end = len(line) - line[::-1].index(version)
    taken = {*line[end:]}
    return [each for each, _ in groupby(each for each in line[:end] if each not in taken)]


def _change(row: dict[str, Any]) -> Change:
    return Change(
        alias=row["alias"],
        former=row["from_version"] or "",
        version=row["to_version"] or "",
        action=row["action"],
        by=row["changed_by"],
        reason=row["reason"],
        at=row["changed_at"],
        run_id=row["run_id"] or "",
    )


def _period(change: Change, until: datetime | None) -> Period:
    return Period(
        alias=change.alias,
        version=change.version,
        since=change.at,
        until=until,
        former=change.former,
        action=change.action,
        by=change.by,
        reason=change.reason,
        run_id=change.run_id,
    )
