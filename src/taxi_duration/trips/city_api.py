"""The City's API, a month of trips at a time."""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Literal, Self, cast, get_args

import pyarrow as pa

from taxi_duration.errors import CityApiError, NoTripsError
from taxi_duration.settings import Settings
from taxi_duration.simulation.source import ORIGIN_HEADER, SOURCE_HEADER
from taxi_duration.trips.backoff import Backoff
from taxi_duration.trips.months import Month
from taxi_duration.trips.progress import day_bar
from taxi_duration.trips.schema import TRIP_SCHEMA, read_csv
from taxi_duration.trips.soda import Soda
from taxi_duration.trips.soql import Query
from taxi_duration.trips.source import city_api_url
from taxi_duration.trips.windows import NEW_DATASET, OLD_DATASET, Window, windows

log = logging.getLogger(__name__)

Source = Literal["city", "simulated", "files", "drill"]


@dataclass(frozen=True)
class LoadedMonth:
    """The raw trips of a month in TRIP_SCHEMA, who gave them, and the cap (0: none).

    `origin` tells servers of one source apart: two seeds, two files.
    """

    month: Month
    trips: pa.Table
    source: Source
    asked: int
    origin: str = ""


class CityApi:
    """The City's API or anything that speaks like it; `page_rows` is the most of one answer."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout_seconds: float = 60,
        attempts: int = 6,
        concurrency: int = 8,
        page_rows: int = 10_000,
        backoff: Backoff | None = None,
    ) -> None:
        self.url = url
        self._concurrency = concurrency
        self._page_rows = page_rows
        self._connect = partial(
            Soda,
            url,
            token=token,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            backoff=backoff or Backoff(),
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The API that the settings name; may ask the City whether it answers."""
        token = settings.city_app_token
        return cls(
            city_api_url(settings),
            token=token.get_secret_value() if token else None,
            timeout_seconds=settings.city_timeout_seconds,
            attempts=settings.city_attempts,
            concurrency=settings.city_concurrency,
        )

    def latest_month(self) -> Month:
        """The last month that is published to its end.

        Raises NoTripsError where nothing is published, CityApiError.
        """
        newest = Query(NEW_DATASET, select="max(trip_start_timestamp)")
        with self._connect() as soda:
            for query in (newest, replace(newest, dataset=OLD_DATASET)):
                for row in soda.json(query):
                    if latest := row.get("max_trip_start_timestamp"):
                        # A month is whole once there are trips of its last day.
                        return Month.of(datetime.fromisoformat(latest) + timedelta(days=1)) - 1
        raise NoTripsError(f"{self.url} has published no trips.")

    def load_month(self, month: Month, cap: int = 0, progress: bool = False) -> LoadedMonth:
        """All trips of `month`, or `cap` of them taken evenly over its days.

        Each day gives its part of the cap, the remainder spread; a day with fewer trips gives
        all of them, so there may be fewer than `cap`. Ordered by day, then trip id. All of it or
        CityApiError; NoTripsError for a month without trips; TripSchemaError.
        """
        days = self._load_days(month, windows(month, cap), progress)
        trips = pa.concat_tables([TRIP_SCHEMA.empty_table(), *(day.trips for day in days)])
        sources = {source for day in days for source in day.sources}
        origins = {origin for day in days for origin in day.origins}
        if not trips.num_rows:
            raise NoTripsError(f"{self.url} has no trips of {month}.", "Choose another month.")
        if len(sources) != 1:
            raise CityApiError(f"{self.url} answered as several sources: {sorted(sources)}.")
        log.info("%s: %d trips came from %s (cap %d)", month, trips.num_rows, self.url, cap)
        return LoadedMonth(month, trips, sources.pop(), cap, " + ".join(sorted(origins)))

    def _load_days(self, month: Month, days: list[Window], progress: bool) -> list["_Day"]:
        """The days in order, several asked for at a time; the first failure ends them all."""
        cancelled = Event()
        pool = ThreadPoolExecutor(self._concurrency, thread_name_prefix="city-api")
        with self._connect() as soda, day_bar(str(month), len(days), progress) as day_done:
            try:
                loads = [pool.submit(self._load_day, soda, day, cancelled) for day in days]
                for load in as_completed(loads):
                    day_done(load.result().trips.num_rows)
                return [load.result() for load in loads]
            finally:
                cancelled.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def _load_day(self, soda: Soda, window: Window, cancelled: Event) -> "_Day":
        """The trips of a day, page by page until there are enough or a page is empty.

        A page that holds less than was asked is followed up, so that a server or a proxy that
        shortens answers loses nothing.
        """
        day = _Day(TRIP_SCHEMA.empty_table())
        while (rows := day.trips.num_rows) != window.most:
            limit = min(self._page_rows, window.most - rows) if window.most else self._page_rows
            query = replace(window.query, limit=limit, offset=rows)
            page, headers = soda.csv(query, read_csv, cancelled)
            day.sources.add(source_of(headers))
            day.origins.add(headers.get(ORIGIN_HEADER, self.url))
            if not page.num_rows:
                break
            # A server may give more than was asked for.
            day.trips = pa.concat_tables([day.trips, page]).slice(0, window.most)
        return day


@dataclass
class _Day:
    """What was loaded of one day, and which sources answered."""

    trips: pa.Table
    sources: set[Source] = field(default_factory=set)
    origins: set[str] = field(default_factory=set)


def source_of(headers: Mapping[str, str]) -> Source:
    """What answered: the stand-in says so in a header, the City has none.

    Raises CityApiError for a source that is not known.
    """
    source = headers.get(SOURCE_HEADER, "city")
    if source not in get_args(Source):
        raise CityApiError(f"The server calls itself {source!r} in {SOURCE_HEADER}.")
    return cast("Source", source)
