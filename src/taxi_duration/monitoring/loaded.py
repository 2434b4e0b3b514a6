"""What the lake has of each month: rows, quarantined ones by reason, and since when."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, delete

from taxi_duration.monitoring.database import upsert
from taxi_duration.monitoring.tables import loaded_months, quarantined
from taxi_duration.trips.months import Month


class LoadedFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one month."""

    source: str
    month: Month
    # 0: all.
    asked: int
    loaded: int
    kept: int
    # Rows that were put aside, by reason.
    reasons: Mapping[str, int]
    # UTC.
    loaded_at: datetime


def record_loaded(connection: Connection, figures: LoadedFigures) -> int:
    """Write a month's rows in the place of the former ones; returns how many were written."""
    month = {"source": figures.source, "month": figures.month.start.date()}
    of_month = (quarantined.c.source == figures.source, quarantined.c.month == month["month"])
    connection.execute(delete(quarantined).where(*of_month))
    loaded = {
        "asked": figures.asked,
        "loaded": figures.loaded,
        "kept": figures.kept,
        "quarantined": sum(figures.reasons.values()),
        "loaded_at": figures.loaded_at,
    }
    now = datetime.now(UTC)
    reasons = [
        {**month, "reason": reason, "trips": trips, "reported_at": now}
        for reason, trips in figures.reasons.items()
    ]
    return upsert(connection, loaded_months, [{**month, **loaded}]) + upsert(
        connection, quarantined, reasons
    )
