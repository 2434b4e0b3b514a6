from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_duration.errors import NoTripsError, TooManyBadTripsError
from taxi_duration.trips.clean import CleanMonth, clean
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import TRIP_SCHEMA, conform

APRIL = Month(2022, 4)
NOON = datetime(2022, 4, 1, 12)


def cleaned(trips: pa.Table, month: Month = APRIL, max_bad_share: float = 1) -> CleanMonth:
    return clean(trips, month, min_minutes=1, max_minutes=60, max_bad_share=max_bad_share)


def rows(*changes: dict[str, Any]) -> pa.Table:
    """Trips of ten minutes with these changes, after one without."""
    good = {
        "trip_start_timestamp": NOON,
        "trip_end_timestamp": NOON + timedelta(minutes=15),
        "trip_seconds": 600.0,
        "pickup_community_area": 8,
        "dropoff_community_area": 32,
    }
    trips = [{"trip_id": f"id{n}"} | good | change for n, change in enumerate([{}, *changes])]
    columns = {name: [trip.get(name) for trip in trips] for name in TRIP_SCHEMA.names}
    return pa.table(columns, schema=TRIP_SCHEMA)


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("no_start", {"trip_start_timestamp": None}),
        ("outside_month", {"trip_start_timestamp": datetime(2022, 3, 31, 23, 45)}),
        ("outside_month", {"trip_start_timestamp": datetime(2022, 5, 1)}),
        ("duplicate", {"trip_id": "id0"}),
        ("no_duration", {"trip_seconds": None}),
        ("no_duration", {"trip_seconds": 0.0}),
        ("no_duration", {"trip_seconds": -5.0}),
        ("too_short", {"trip_seconds": 59.0}),
        ("too_long", {"trip_seconds": 3601.0}),
        ("ends_before_start", {"trip_end_timestamp": NOON - timedelta(minutes=15)}),
        ("unknown_area", {"pickup_community_area": 78}),
        ("unknown_area", {"dropoff_community_area": 0, "pickup_community_area": None}),
    ],
)
def test_a_row_that_is_no_trip_is_quarantined_with_its_reason(
    reason: str, change: dict[str, Any]
) -> None:
    result = cleaned(rows(change, {}))
    assert result.reasons == {reason: 1}
    assert result.quarantine["reason"].to_pylist() == [reason]
    assert result.quarantine["trip_id"].to_pylist() == [change.get("trip_id", "id1")]
    assert result.trips["trip_id"].to_pylist() == ["id0", "id2"]
    assert result.trips.schema == TRIP_SCHEMA


@pytest.mark.parametrize(
    "change",
    [
        {"trip_seconds": 60.0},
        {"trip_seconds": 3600.0},
        {"trip_start_timestamp": datetime(2022, 4, 1), "trip_end_timestamp": datetime(2022, 4, 1)},
        {"pickup_community_area": None, "dropoff_community_area": None},
        {"trip_miles": 0.0},
        {"trip_end_timestamp": None},
        {"fare": 7400.0},
    ],
)
def test_what_is_odd_but_can_be_a_trip_stays(change: dict[str, Any]) -> None:
    assert cleaned(rows(change)).reasons == {}


def at(day: int, start: tuple[int, int], end: tuple[int, int]) -> dict[str, Any]:
    """A trip of a day in November 2022; summer time ended on the 6th, at 2."""
    first = datetime(2022, 11, day)
    return {
        "trip_start_timestamp": first + timedelta(hours=start[0], minutes=start[1]),
        "trip_end_timestamp": first + timedelta(hours=end[0], minutes=end[1]),
    }


@pytest.mark.parametrize(
    ("trip", "reasons"),
    [
        (at(6, (1, 45), (1, 0)), {}),
        (at(6, (1, 15), (1, 0)), {}),
        (at(6, (1, 45), (0, 45)), {"ends_before_start": 1}),
        (at(6, (2, 15), (1, 45)), {"ends_before_start": 1}),
        (at(5, (1, 45), (1, 0)), {"ends_before_start": 1}),
    ],
)
def test_a_trip_may_end_in_the_hour_that_clocks_show_twice(
    trip: dict[str, Any], reasons: dict[str, int]
) -> None:
    trips = rows(trip, at(1, (12, 0), (12, 15))).slice(1)
    assert cleaned(trips, Month(2022, 11)).reasons == reasons


def test_trips_without_an_id_are_not_each_others_duplicates() -> None:
    assert cleaned(rows({"trip_id": None}, {"trip_id": None})).trips.num_rows == 3


def test_of_several_reasons_the_first_counts() -> None:
    last_year = datetime(2021, 4, 1)
    worst = {"trip_start_timestamp": last_year, "trip_seconds": 0.0, "pickup_community_area": 99}
    assert cleaned(rows(worst)).reasons == {"outside_month": 1}


def test_a_month_with_too_many_bad_rows_is_refused_with_counts() -> None:
    bad = rows({"trip_seconds": 0.0}, {"trip_seconds": 5.0}, {"trip_seconds": 0.0})
    assert cleaned(bad, max_bad_share=0.75).reasons == {"no_duration": 2, "too_short": 1}
    with pytest.raises(TooManyBadTripsError, match=r"75% .*\(no_duration 2, too_short 1\)"):
        cleaned(bad, max_bad_share=0.7)


def test_a_month_without_rows_or_without_trips_is_refused() -> None:
    with pytest.raises(NoTripsError, match="2022-04"):
        cleaned(TRIP_SCHEMA.empty_table())
    with pytest.raises(NoTripsError, match="no_duration 1"):
        cleaned(rows({"trip_seconds": 0.0}).slice(1))


def test_a_real_raw_day_has_the_shares_that_are_known(shared_data: Path) -> None:
    day = conform(pq.read_table(shared_data / "2022_03_01_full_schema.parquet"))
    result = cleaned(day, Month(2022, 3), max_bad_share=0.1)
    shares = {reason: count / day.num_rows for reason, count in result.reasons.items()}
    assert shares == {
        "no_duration": pytest.approx(0.027, abs=0.002),
        "too_short": pytest.approx(0.05 - 0.027, abs=0.002),
        "too_long": pytest.approx(0.0143, abs=0.001),
    }
    missing = result.trips["pickup_community_area"].null_count / result.trips.num_rows
    assert 0.07 < missing < 0.11


def test_real_raw_days_of_2019_have_the_shares_that_are_known(shared_data: Path) -> None:
    days = conform(pq.read_table(shared_data / "2019_jan01_11_raw15min.parquet"))
    result = cleaned(days, Month(2019, 1), max_bad_share=0.1)
    assert result.reasons["no_duration"] / days.num_rows == pytest.approx(0.019, abs=0.001)
    assert result.trips.num_rows + result.quarantine.num_rows == 399_964
    assert result.trips.num_rows == 383_540
