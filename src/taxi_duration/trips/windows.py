"""The questions that a month of trips is asked for in: one a day."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from taxi_duration.trips.months import Month
from taxi_duration.trips.soql import Query

OLD_DATASET: Final = "wrvz-psew"
NEW_DATASET: Final = "ajtu-isnz"
FIRST_NEW_MONTH: Final = Month(2024, 1)
# Trip ids are hashes: ordered by them, the first trips of a day are an even sample of it. Rows
# without an id keep a stable order by the City's own row id.
ORDER: Final = "trip_id, :id"


@dataclass(frozen=True)
class Window:
    """One day, and the most trips that are wanted of it; none: all."""

    day: date
    most: int | None

    @property
    def query(self) -> Query:
        """The question for this day's trips, in an order that pages can rely on."""
        start, end = f"{self.day}T00:00:00", f"{self.day + timedelta(days=1)}T00:00:00"
        return Query(
            NEW_DATASET if Month.of(self.day) >= FIRST_NEW_MONTH else OLD_DATASET,
            where=f"trip_start_timestamp >= '{start}' AND trip_start_timestamp < '{end}'",
            order=ORDER,
        )


def windows(month: Month, cap: int) -> list[Window]:
    """The days of `month`, each with its part of `cap`: the parts differ by one at most.

    A cap of 0 means all trips. Days that get no part are left out.
    """
    if not cap:
        return [Window(day, None) for day in month.days]
    days = month.days
    parts = [(n + 1) * cap // len(days) - n * cap // len(days) for n in range(len(days))]
    return [Window(day, part) for day, part in zip(days, parts, strict=True) if part]
