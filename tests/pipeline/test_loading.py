import json
import logging
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from fake_city import Asked, Failure, FakeCity, trip
from taxi_duration.errors import CityApiError, NoTripsError, SettingsError, TooManyBadTripsError
from taxi_duration.pipeline.loading import clean_trips, load_trips
from taxi_duration.pipeline.variables import RunVariables
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month

pytestmark = pytest.mark.stack

FIRST = datetime(2022, 1, 1)
MONTHS = ["2022-01", "2022-02", "2022-03"]


@pytest.fixture
def city() -> Iterator[FakeCity]:
    """A server of the first quarter of 2022: 24 trips a day, one of them of no seconds."""
    city = FakeCity()
    city.headers = {"X-Taxi-Source": "files"}
    city.trips = [
        trip(n, FIRST + timedelta(hours=n), trip_seconds="0" if n % 24 == 0 else "600")
        for n in range(90 * 24)
    ]
    yield city
    city.close()


@pytest.fixture
def settings(backends: Settings, city: FakeCity) -> Settings:
    """A bucket and a model name of this test's own."""
    name = f"loading-{random.randrange(10**9)}"
    changes = {"s3_bucket": name, "model_name": name, "city_api": city.url, "city_attempts": 1}
    settings = backends.model_copy(update=changes)
    Storage.from_settings(settings).client.create_bucket(Bucket=name)
    return settings


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(Storage.from_settings(settings), "files")


def run_of(month: str = "2022-03", **changes: Any) -> RunVariables:
    values: dict[str, Any] = {"month": month, "history": 2, "cap": 0, "seed": 7}
    return RunVariables(**values | changes)


def months_asked(city: FakeCity) -> set[str]:
    return {asked.day[:7] for asked in city.asked if asked.day}


def test_a_run_loads_its_month_and_history_and_passes_on_plain_values(
    settings: Settings, lake: Lake
) -> None:
    loaded = load_trips(settings, run_of(replace_source=True, search_trials=5))
    assert loaded == {
        "source": "files",
        "month": "2022-03",
        "history": ["2022-01", "2022-02"],
        "asked": 0,
        "seed": 7,
        "replace_source": True,
        "search": {"trials": 5, "seconds": 0},
        "retraining": 0,
        "drill": False,
        "city_api": "",
        "rows": {"2022-01": 744, "2022-02": 672, "2022-03": 744},
        "champion": "",
    }
    cleaned = clean_trips(settings, loaded)
    assert cleaned == loaded | {
        "lake": {"uri": lake.uri, "version": lake.version()},
        "trips": {"2022-01": 713, "2022-02": 644, "2022-03": 713},
        "quarantined": {
            "2022-01": {"no_duration": 31},
            "2022-02": {"no_duration": 28},
            "2022-03": {"no_duration": 31},
        },
    }
    assert json.loads(json.dumps(cleaned)) == cleaned
    assert lake.rows() == cleaned["trips"]
    assert lake.quarantined() == cleaned["quarantined"]


def test_the_same_run_twice_leaves_the_same_rows(settings: Settings, lake: Lake) -> None:
    months = [Month.parse(month) for month in MONTHS]
    clean_trips(settings, load_trips(settings, run_of()))
    once = lake.read(months)
    clean_trips(settings, load_trips(settings, run_of()))
    assert lake.read(months).equals(once)


def test_history_that_is_there_with_the_same_cap_is_not_asked_for_again(
    settings: Settings, city: FakeCity
) -> None:
    load_trips(settings, run_of(cap=100))
    city.asked.clear()
    assert load_trips(settings, run_of(cap=100))["rows"] == dict.fromkeys(MONTHS, 100)
    assert months_asked(city) == {"2022-03"}
    assert load_trips(settings, run_of(cap=200))["rows"] == dict.fromkeys(MONTHS, 200)
    assert months_asked(city) == set(MONTHS)


def test_history_that_other_trips_of_the_source_left_is_loaded_again(
    settings: Settings, city: FakeCity
) -> None:
    load_trips(settings, run_of(cap=100))
    city.asked.clear()
    city.headers |= {"X-Taxi-Origin": "another file"}
    load_trips(settings, run_of(cap=100))
    assert months_asked(city) == set(MONTHS)


@pytest.mark.parametrize(
    ("execution_date", "month"),
    [
        (None, "2022-03"),
        (datetime(2022, 3, 1), "2022-02"),
        (datetime(2030, 1, 1), "2022-03"),
    ],
)
def test_without_a_month_the_last_one_over_and_published_is_taken(
    settings: Settings, city: FakeCity, execution_date: datetime | None, month: str
) -> None:
    # One more trip: the City counts the last quarter of an hour to the next month.
    city.trips.append(trip(99_999, datetime(2022, 4, 1)))
    run = run_of("", history=1, cap=30, execution_date=execution_date)
    assert load_trips(settings, run)["month"] == month


def test_the_run_may_name_another_server(settings: Settings, city: FakeCity) -> None:
    elsewhere = settings.model_copy(update={"city_api": "http://127.0.0.1:1"})
    assert load_trips(elsewhere, run_of(city_api=city.url, cap=30))["rows"]["2022-03"] == 30


def test_a_month_that_cannot_be_loaded_leaves_what_was_there(
    settings: Settings, city: FakeCity, lake: Lake
) -> None:
    cleaned = clean_trips(settings, load_trips(settings, run_of()))

    def fail(asked: Asked) -> Failure | None:
        return Failure(status=500) if asked.day == "2022-03-31" else None

    city.fail = fail
    with pytest.raises(CityApiError, match="500 came back"):
        load_trips(settings, run_of(cap=100))
    assert lake.raw_rows(Month(2022, 3)) == 744
    assert lake.raw_made_from(Month(2022, 3)) == (0, city.url)
    assert lake.rows() == cleaned["trips"]


def test_history_before_the_first_trip_is_said(settings: Settings) -> None:
    with pytest.raises(NoTripsError, match="2021-12"):
        load_trips(settings, run_of("2022-02", history=2))


def test_a_month_with_too_many_bad_rows_stops_the_run_and_stays_as_it_was(
    settings: Settings, city: FakeCity, lake: Lake
) -> None:
    good = clean_trips(settings, load_trips(settings, run_of()))
    for row in city.trips:
        if row["trip_start_timestamp"].startswith("2022-03"):
            row["trip_seconds"] = "0"
    loaded = load_trips(settings, run_of())
    with pytest.raises(TooManyBadTripsError, match=r"2022-03 .*no_duration 744"):
        clean_trips(settings, loaded)
    assert lake.rows() == good["trips"]
    assert lake.quarantined() == good["quarantined"]


def test_the_log_says_what_was_asked_loaded_and_quarantined(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "taxi_duration")
    clean_trips(settings, load_trips(settings, run_of(cap=310)))
    assert "Raw trips of files: {'2022-01': 310, '2022-02': 310, '2022-03': 310}" in caplog.text
    assert "asked for: 310" in caplog.text
    assert "quarantined: {'no_duration':" in caplog.text


def test_a_retraining_has_its_own_month_in_its_history(settings: Settings) -> None:
    loaded = load_trips(settings, run_of(history=1, retraining=3))
    assert loaded["history"] == ["2022-02", "2022-03"]
    assert list(loaded["rows"]) == ["2022-02", "2022-03"]


@pytest.mark.parametrize(("source", "drill"), [("files", True), ("drill", False)])
def test_trips_of_a_drill_and_others_never_meet(
    settings: Settings, city: FakeCity, source: str, drill: bool
) -> None:
    city.headers = {"X-Taxi-Source": source}
    with pytest.raises(SettingsError, match="`taxi drill` gives a run both"):
        load_trips(settings, run_of(drill=drill))
    assert Lake(Storage.from_settings(settings), source).raw_made_from(Month(2022, 3)) is None
