"""Counts of requests by minute and status, as a real Postgres gets them."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from sqlalchemy import select

from duration_service import request_counts
from duration_service.observations import UNKNOWN, Handled
from duration_service.predictions_table import postgres_dsn
from duration_service.request_counts import RequestCounts
from monitored import with_own_database
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.monitoring.tables import requests
from taxi_duration.settings import Settings
from taxi_duration.stack.stack import Stack

pytestmark = pytest.mark.stack


@pytest.fixture
def database(postgres: Stack) -> Iterator[Settings]:
    with with_own_database(postgres.settings) as settings:
        yield settings


def handled(*statuses: int, endpoint: str = "/predict", method: str = "POST") -> list[Handled]:
    return [Handled(endpoint, method, status, 0.001) for status in statuses]


def written(settings: Settings) -> dict[tuple[str, int], int]:
    """Requests by status and by minutes since the epoch."""
    with connect(settings) as connection:
        rows = connection.execute(select(requests)).all()
    return {(row.status, int(row.minute.timestamp()) // 60): row.requests for row in rows}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the minute that it is."""

    def is_now(minute: int) -> None:
        monkeypatch.setattr(request_counts, "_minute", lambda: minute)

    return is_now


def counter(settings: Settings) -> RequestCounts:
    return RequestCounts(postgres_dsn(settings) or "")


def test_requests_are_counted_by_status_and_minute_however_often_they_are_written(
    database: Settings, clock: Any
) -> None:
    upgrade(database)
    counts, other = counter(database), counter(database)
    clock(100)
    counts.observe([], handled(200, 200, 422))
    counts.write()
    counts.observe([], handled(200, 503))
    for _ in range(2):
        counts.write()
    assert written(database) == {("2xx", 100): 3, ("4xx", 100): 1, ("5xx", 100): 1}
    clock(101)
    counts.observe([], handled(500))
    assert counts.write() == 4
    assert counts.write() == 1  # what is over is written and forgotten
    other.observe([], handled(500))
    other.write()
    with connect(database) as connection:
        rows = connection.execute(select(requests).where(requests.c.status == "5xx")).all()
    assert len({row.instance for row in rows}) == 2
    assert sum(row.requests for row in rows) == 3


def test_what_is_counted_while_a_minute_is_written_belongs_to_the_next_one(
    database: Settings, clock: Any
) -> None:
    upgrade(database)
    counts = counter(database)
    clock(100)
    counts.observe([], handled(200, 200))
    with counts._lock:
        late = threading.Thread(target=counts.observe, args=([], handled(200)))
        late.start()
        time.sleep(0.05)  # it waits for its turn
        clock(101)
    late.join()
    counts.write()
    assert written(database) == {("2xx", 100): 2, ("2xx", 101): 1}


def test_a_clock_that_is_set_back_takes_nothing_from_a_minute_that_was_written(
    database: Settings, clock: Any
) -> None:
    upgrade(database)
    counts = counter(database)
    for minute in (100, 101, 100, 101):
        clock(minute)
        counts.observe([], handled(200, 200))
        counts.write()
    clock(102)
    counts.write()
    with connect(database) as connection:
        rows = connection.execute(select(requests)).all()
    assert sum(row.requests for row in rows) == 8


def test_only_requests_for_predictions_count_and_those_refused_unread(
    database: Settings, clock: Any
) -> None:
    upgrade(database)
    counts = counter(database)
    clock(7)
    counts.observe([], handled(200, 503, endpoint="/ready", method="GET"))
    counts.observe([], handled(404, endpoint=UNKNOWN, method="GET"))
    counts.observe([], handled(429, 501, endpoint=UNKNOWN, method=UNKNOWN))
    counts.write()
    # A body in a coding that nobody understands is no failure of the service.
    assert written(database) == {("4xx", 7): 2}


def test_minutes_wait_while_there_is_no_table_for_a_day(database: Settings, clock: Any) -> None:
    counts = counter(database)
    for minute in (10, 11, 1_451):
        clock(minute)
        counts.observe([], handled(500))
        with pytest.raises(psycopg2.errors.UndefinedTable):
            counts.write()
    upgrade(database)
    counts.write()
    assert written(database) == {("5xx", 11): 1, ("5xx", 1_451): 1}
