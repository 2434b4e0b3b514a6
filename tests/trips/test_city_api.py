import logging
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pyarrow as pa
import pytest

from fake_city import Asked, Failure, FakeCity, trip
from taxi_duration.errors import CityApiError, NoTripsError, TripSchemaError
from taxi_duration.settings import load_settings
from taxi_duration.trips.backoff import Backoff
from taxi_duration.trips.city_api import CityApi
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import TRIP_SCHEMA
from taxi_duration.trips.soda import EXCERPT

pytestmark = pytest.mark.slow

APRIL = Month(2022, 4)
TOKEN = "s3cr3t-app-token"


@pytest.fixture
def city(fake_city: FakeCity, april: list[dict[str, Any]]) -> FakeCity:
    """A server with sixty trips on each day of April 2022."""
    fake_city.trips = april
    return fake_city


@pytest.fixture(scope="module")
def whole(april: list[dict[str, Any]]) -> pa.Table:
    """The trips of that month as they load from a server that never fails."""
    with closing(FakeCity()) as city:
        city.trips = april
        return city.api().load_month(APRIL).trips


def of_day(day: str, *failures: Failure | None) -> Any:
    """Lets the first questions for `day` fail, one way each."""

    def fail(asked: Asked) -> Failure | None:
        return failures[asked.nth - 1] if asked.day == day and asked.nth <= len(failures) else None

    return fail


def test_a_month_is_loaded_whole_typed_and_in_order(city: FakeCity) -> None:
    loaded = city.api().load_month(APRIL)
    assert (loaded.month, loaded.source, loaded.asked) == (APRIL, "city", 0)
    assert loaded.trips.schema == TRIP_SCHEMA
    assert len(set(loaded.trips["trip_id"].to_pylist())) == 1800
    rows = loaded.trips.to_pylist()
    assert rows == sorted(rows, key=lambda row: (row["trip_start_timestamp"].day, row["trip_id"]))
    assert rows[0]["pickup_community_area"] == 8
    assert rows[0]["pickup_census_tract"] == "17031081403"
    assert rows[0]["fare"] is None


def test_loading_twice_gives_the_same_table(city: FakeCity) -> None:
    api = city.api()
    assert api.load_month(APRIL, 100).trips.equals(api.load_month(APRIL, 100).trips)


def test_pages_smaller_than_a_day_lose_and_repeat_nothing(city: FakeCity, whole: pa.Table) -> None:
    paged = city.api(page_rows=17).load_month(APRIL)
    assert paged.trips.equals(whole)


def test_every_page_is_asked_for_in_a_stable_order(city: FakeCity) -> None:
    city.api(page_rows=25).load_month(APRIL, 300)
    assert {asked.clauses["order"] for asked in city.asked} == {"trip_id, :id"}


def test_a_cap_is_spread_evenly_over_the_days(city: FakeCity) -> None:
    trips = city.api().load_month(APRIL, cap=100).trips
    days = [start.day for start in trips["trip_start_timestamp"].to_pylist()]
    counts = [days.count(day) for day in range(1, 31)]
    assert sum(counts) == 100
    assert set(counts) == {3, 4}


def test_of_a_server_that_knows_no_limit_no_more_is_taken_than_was_asked_for(
    city: FakeCity, whole: pa.Table
) -> None:
    city.limited = False
    trips = city.api().load_month(APRIL, cap=30).trips
    assert trips.num_rows == len(city.asked) == 30
    assert set(trips["trip_id"].to_pylist()) < set(whole["trip_id"].to_pylist())


def test_a_day_with_fewer_trips_than_its_part_gives_all_of_them(city: FakeCity) -> None:
    city.trips = [t for t in city.trips if not t["trip_start_timestamp"].startswith("2022-04-02")]
    assert city.api().load_month(APRIL, cap=300).trips.num_rows == 290


def test_a_cap_below_the_number_of_days_asks_no_day_for_nothing(city: FakeCity) -> None:
    assert city.api().load_month(APRIL, cap=4).trips.num_rows == 4
    assert len(city.asked) == 4


@pytest.mark.parametrize(("month", "dataset"), [("2023-12", "wrvz-psew"), ("2024-01", "ajtu-isnz")])
def test_the_month_decides_the_dataset(fake_city: FakeCity, month: str, dataset: str) -> None:
    start = Month.parse(month).start
    fake_city.trips = [trip(1, start)]
    assert fake_city.api().load_month(Month.parse(month)).trips.num_rows == 1
    assert {asked.path for asked in fake_city.asked} == {f"/resource/{dataset}.csv"}


def test_days_are_asked_for_side_by_side(city: FakeCity) -> None:
    city.fail = lambda _asked: Failure(seconds=0.1)
    began = time.monotonic()
    city.api(concurrency=15).load_month(APRIL, cap=30)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    "failure",
    [
        Failure(status=429, body=b"throttled"),
        Failure(status=500, body=b"{}"),
        Failure(status=503, body=b""),
        Failure(status=202, body=b""),
        Failure(cut_at=0),
        Failure(cut_at=2000),
        Failure(cut_at=2000, unframed=True),
        Failure(cut_at=-1, unframed=True),
        Failure(body=b"", headers={"Content-Type": "text/csv"}),
        Failure(body=b"<html>sign in</html>\n", headers={"Content-Type": "text/html"}),
    ],
    ids=lambda failure: f"{failure.status}-{failure.cut_at}-{failure.unframed}",
)
def test_a_page_that_fails_twice_is_fetched_again(
    city: FakeCity, whole: pa.Table, failure: Failure
) -> None:
    city.fail = of_day("2022-04-10", failure, failure)
    assert city.api().load_month(APRIL).trips.equals(whole)


def test_rows_that_a_short_page_held_back_are_asked_for(city: FakeCity, whole: pa.Table) -> None:
    city.fail = lambda asked: None if "offset" in asked.clauses else Failure(rows_held_back=20)
    assert city.api().load_month(APRIL).trips.equals(whole)


def test_a_server_that_is_too_slow_is_asked_again(city: FakeCity) -> None:
    city.fail = of_day("2022-04-10", Failure(seconds=0.6))
    assert city.api(timeout_seconds=0.3).load_month(APRIL, 60).trips.num_rows == 60


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_wait_that_the_server_asks_for_is_kept(city: FakeCity, form: str) -> None:
    until = datetime.now(UTC) + timedelta(seconds=2)
    value = "1" if form == "seconds" else format_datetime(until, usegmt=True)
    city.fail = of_day("2022-04-10", Failure(status=429, headers={"Retry-After": value}))
    api = city.api(backoff=Backoff(0.01, 5))
    began = time.monotonic()
    api.load_month(APRIL, 60)
    assert 0.9 < time.monotonic() - began < 4


def test_a_wait_that_is_too_long_is_cut_short(city: FakeCity) -> None:
    city.fail = of_day("2022-04-10", Failure(status=429, headers={"Retry-After": "3600"}))
    assert city.api().load_month(APRIL, 60).trips.num_rows == 60


def test_a_day_that_keeps_failing_fails_the_month_and_says_what_came_back(city: FakeCity) -> None:
    city.fail = of_day("2022-04-10", *[Failure(status=503, body=b"down for repair" * 99)] * 9)
    with pytest.raises(CityApiError) as raised:
        city.api(attempts=3).load_month(APRIL)
    message = str(raised.value)
    assert f"GET {city.url}/resource/wrvz-psew.csv" in message
    assert "2022-04-10T00" in message
    assert "503" in message
    assert "down for repair" in message
    assert message.count("down") == 20
    assert sum(asked.day == "2022-04-10" for asked in city.asked) == 3


def test_one_day_that_fails_for_good_ends_the_others(city: FakeCity) -> None:
    city.fail = lambda asked: (
        Failure(status=400, body=b"no such column")
        if asked.day == "2022-04-01"
        else Failure(seconds=1)
    )
    began = time.monotonic()
    with pytest.raises(CityApiError, match="no such column"):
        city.api(concurrency=2).load_month(APRIL)
    assert time.monotonic() - began < 0.9
    time.sleep(1.5)
    assert len(city.asked) <= 3


def test_a_refusal_is_not_asked_twice(city: FakeCity) -> None:
    city.fail = of_day("2022-04-10", *[Failure(status=404, body=b"not here")] * 9)
    with pytest.raises(CityApiError, match="404"):
        city.api().load_month(APRIL)
    assert sum(asked.day == "2022-04-10" for asked in city.asked) == 1


def test_a_server_that_is_not_there_is_an_error_that_names_it(fake_city: FakeCity) -> None:
    fake_city.close()
    with pytest.raises(CityApiError, match=fake_city.url):
        fake_city.api(attempts=2).load_month(APRIL)


def test_a_month_without_trips_is_said(city: FakeCity) -> None:
    with pytest.raises(NoTripsError, match="2022-05"):
        city.api().load_month(Month(2022, 5))


def test_columns_that_the_city_does_not_send_are_null(city: FakeCity) -> None:
    city.columns = tuple(name for name in TRIP_SCHEMA.names if name != "company")
    assert city.api().load_month(APRIL, 30).trips["company"].null_count == 30


def test_a_required_column_that_is_renamed_is_named(city: FakeCity) -> None:
    city.columns = tuple(name.replace("trip_seconds", "duration") for name in TRIP_SCHEMA.names)
    with pytest.raises(TripSchemaError, match="no column trip_seconds"):
        city.api().load_month(APRIL, 30)


def test_the_server_says_which_source_it_is(city: FakeCity) -> None:
    city.headers = {"X-Taxi-Source": "files"}
    assert city.api().load_month(APRIL, 30).source == "files"


def test_two_sources_in_one_month_are_refused(city: FakeCity) -> None:
    city.fail = of_day("2022-04-10", Failure(headers={"X-Taxi-Source": "simulated"}))
    with pytest.raises(CityApiError, match="several sources"):
        city.api().load_month(APRIL, 60)


def test_with_a_token_soda_3_is_used_and_loads_the_same(city: FakeCity, whole: pa.Table) -> None:
    with_token = city.api(page_rows=25, token=TOKEN).load_month(APRIL)
    assert with_token.trips.equals(whole)
    assert {asked.path for asked in city.asked} == {"/api/v3/views/wrvz-psew/export.csv"}
    assert {asked.headers["X-App-Token"] for asked in city.asked} == {TOKEN}
    assert city.api(token=TOKEN).latest_month() == APRIL
    assert city.asked[-1].path == "/api/v3/views/wrvz-psew/query.json"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"your token {TOKEN} is wrong", "your token *** is wrong"),
        # Longer than what is told of an answer, which ends in the token's middle.
        (f"{'.' * (EXCERPT - 5)}{TOKEN}", ".***"),
    ],
)
def test_the_token_is_never_written_down(
    city: FakeCity, caplog: pytest.LogCaptureFixture, said: str, told: str
) -> None:
    caplog.set_level(logging.DEBUG)
    failure = Failure(status=500, body=said.encode())
    city.fail = of_day("2022-04-10", *[failure] * 9)
    with pytest.raises(CityApiError) as raised:
        city.api(token=TOKEN, attempts=2).load_month(APRIL)
    assert told in str(raised.value)
    own = [record for record in caplog.records if record.name.startswith("taxi_duration")]
    assert own
    assert not [record for record in own if TOKEN[:5] in record.getMessage()]


@pytest.mark.parametrize(
    ("latest", "month"),
    [
        (datetime(2022, 4, 30, 23, 45), Month(2022, 4)),
        (datetime(2022, 5, 1), Month(2022, 4)),
        (datetime(2022, 4, 29, 23, 45), Month(2022, 3)),
        (datetime(2024, 3, 31, 12), Month(2024, 3)),
    ],
)
def test_the_latest_month_is_the_last_one_that_is_whole(
    fake_city: FakeCity, latest: datetime, month: Month
) -> None:
    fake_city.trips = [trip(1, datetime(2020, 1, 1)), trip(2, latest)]
    assert fake_city.api().latest_month() == month


def test_a_server_without_any_trips_has_no_latest_month(fake_city: FakeCity) -> None:
    with pytest.raises(NoTripsError, match="published no trips"):
        fake_city.api().latest_month()


def test_the_settings_make_the_client(city: FakeCity) -> None:
    settings = load_settings(city_api=city.url + "/", city_app_token=TOKEN, city_concurrency=2)
    assert CityApi.from_settings(settings).load_month(APRIL, 30).trips.num_rows == 30
    assert city.asked[0].headers["X-App-Token"] == TOKEN
