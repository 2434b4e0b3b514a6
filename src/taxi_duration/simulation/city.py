"""The simulated city: trips of any day since 2013, the same for the same seed, whenever asked."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

import numpy as np
import pyarrow as pa

from taxi_duration.errors import SoqlError
from taxi_duration.simulation.columns import START
from taxi_duration.simulation.fleet import Fleet
from taxi_duration.simulation.records import records_of
from taxi_duration.simulation.rides import rides_of
from taxi_duration.simulation.source import Window

# The City's first data set begins here.
FIRST_DAY = date(2013, 1, 1)
# A month of days, and a few more: pages of one month are asked for again and again.
DAYS_KEPT = 40
# A query that looks at more days is refused, where the City's would time out.
MOST_DAYS = 400


class SimulatedCity:
    """A source of trips. Each day is made from the seed and its date alone.

    Like the City's, its data lags: it ends with the month before last, seen from `today`.
    """

    name: Literal["simulated"] = "simulated"

    def __init__(
        self, seed: int, trips_per_day: int = 5_000, today: Callable[[], date] = date.today
    ) -> None:
        self._seed = seed
        self._trips_per_day = trips_per_day
        self._today = today
        self._fleet = Fleet.of(seed)
        self.day = lru_cache(DAYS_KEPT)(self._day)

    def __str__(self) -> str:
        return f"simulated trips (seed {self._seed}, {self._trips_per_day:,} a day)"

    def _day(self, day: date) -> pa.Table:
        """The trips of one day with the schema TRIPS, by start."""
        rng = np.random.default_rng([self._seed, day.toordinal()])
        return records_of(day, rides_of(day, self._trips_per_day, rng), self._fleet, rng)

    @property
    def published(self) -> Window:
        """From when to when there are trips."""
        this_month = self._today().replace(day=1)
        last_month = (this_month - timedelta(days=1)).replace(day=1)
        return Window(midnight(FIRST_DAY), midnight(last_month))

    def parts(self, window: Window, newest_first: bool = False) -> Iterator[pa.Table]:
        """One table a day."""
        window &= self.published
        first = window.start.date()
        days = range((window.end - midnight(first) + timedelta(days=1, microseconds=-1)).days)
        for looked_at, number in enumerate(reversed(days) if newest_first else days):
            if looked_at == MOST_DAYS:
                raise SoqlError(
                    "query.execution.timeout",
                    f"This looks at more than {MOST_DAYS} days. Ask for fewer, by {START}.",
                )
            yield within(self.day(first + timedelta(days=number)), window)


def midnight(day: date) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time())


def within(trips: pa.Table, window: Window) -> pa.Table:
    """The rows of sorted trips that start within the window; no copy."""
    first, end = np.searchsorted(trips[START].to_numpy(), window.bounds)
    return trips.slice(first, max(end - first, 0))
