"""The decisions to train again, in Postgres."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, insert, select, update

from taxi_duration.monitoring.database import connect, migrate
from taxi_duration.monitoring.judged_months import JudgedMonth, Limits
from taxi_duration.monitoring.need import Answered, Need
from taxi_duration.monitoring.tables import retrainings
from taxi_duration.settings import Settings
from taxi_duration.simulation.source import DRILL
from taxi_duration.trips.months import Month


def last_queued(settings: Settings, source: str, run_id: str) -> Answered | None:
    """The last retraining of these trips that another run than this one has asked for and got.

    One that could not be started is no answer. Of a drill there is none, since every drill stands
    for itself.
    """
    query = (
        select(retrainings.c.month, retrainings.c.requested_at)
        .where(
            retrainings.c.source == source,
            retrainings.c.status == "queued",
            retrainings.c.pipeline_run_id.is_not(None),
            retrainings.c.requested_by != run_id,
            ~retrainings.c.drill,
        )
        .order_by(retrainings.c.id.desc())
        .limit(1)
    )
    with connect(settings) as connection:
        migrate(connection)
        found = connection.execute(query).first()
    return Answered(f"{found.month:%Y-%m}", found.requested_at) if found else None


def write(
    settings: Settings, found: Need, source: str, months: list[JudgedMonth], run_id: str
) -> int:
    """Write the decision of a run once, however often its step is tried; returns its number.

    A step that is tried again may decide otherwise, after a setting was changed or a pause is over:
    the last decision counts, unless a run has come of an earlier one.
    """
    month = Month.parse(months[-1].month)
    same = select(retrainings.c.id).where(*_of_run(source, month, run_id))
    limits = Limits.from_settings(settings)
    row = {
        "source": source,
        "month": month.start.date(),
        "requested_at": datetime.now(UTC),
        "status": found.status,
        "reason": found.reason,
        "evidence": [_evidence(month, limits) for month in months],
        "requested_by": run_id,
        "drill": source == DRILL,
    }
    with connect(settings) as connection:
        migrate(connection)
        known: int | None = connection.execute(same).scalar()
        if known is not None:
            undone = (retrainings.c.id == known, retrainings.c.pipeline_run_id.is_(None))
            connection.execute(update(retrainings).where(*undone).values(row))
            return known
        number = connection.execute(insert(retrainings).values(row).returning(retrainings.c.id))
        return int(number.scalar_one())


def withdraw(settings: Settings, source: str, month: Month, run_id: str) -> None:
    """Take back what a run has decided about a month, unless a run has come of it."""
    undone = (*_of_run(source, month, run_id), retrainings.c.pipeline_run_id.is_(None))
    with connect(settings) as connection:
        migrate(connection)
        connection.execute(delete(retrainings).where(*undone))


def _of_run(source: str, month: Month, run_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        retrainings.c.source == source,
        retrainings.c.month == month.start.date(),
        retrainings.c.requested_by == run_id,
    )


def run_of(settings: Settings, number: int) -> str:
    """The run that a retraining became; empty: none yet."""
    query = select(retrainings.c.pipeline_run_id).where(retrainings.c.id == number)
    with connect(settings) as connection:
        return connection.execute(query).scalar_one() or ""


def is_queued(settings: Settings, run_id: str, since: datetime) -> bool:
    """Whether a run that started then has decided to train again."""
    query = select(retrainings.c.id).where(
        retrainings.c.requested_by == run_id,
        retrainings.c.requested_at >= since,
        retrainings.c.status == "queued",
    )
    with connect(settings) as connection:
        migrate(connection)
        return connection.execute(query).first() is not None


def started(settings: Settings, number: int, pipeline_run_id: str) -> None:
    """Write which run a retraining became."""
    with connect(settings) as connection:
        connection.execute(
            update(retrainings)
            .where(retrainings.c.id == number)
            .values(pipeline_run_id=pipeline_run_id)
        )


def _evidence(month: JudgedMonth, limits: Limits) -> dict[str, Any]:
    figures = {
        "drifted_share": round(month.drifted_share, 4),
        "error_ratio": round(month.error_ratio, 4),
        "over": month.grounds(limits) + month.gaps(limits),
    }
    return {**msgspec.structs.asdict(month), **figures}
