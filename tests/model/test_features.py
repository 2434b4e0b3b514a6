import math
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_duration.areas import AREAS, LOOP, MIDWAY, OHARE
from taxi_duration.model.features import FEATURES, feature_matrix, feature_row

REQUESTS = st.tuples(
    st.none() | st.integers(-3, 90),
    st.none() | st.integers(-3, 90),
    st.datetimes(datetime(2001, 1, 1), datetime(2099, 12, 31)),
)


def row(pickup: int | None, dropoff: int | None, start: datetime) -> dict[str, float]:
    return dict(zip(FEATURES, feature_row(pickup, dropoff, start)[0].tolist(), strict=True))


@given(st.lists(REQUESTS, min_size=1, max_size=20))
def test_a_row_alone_equals_its_row_in_the_matrix(
    requests: list[tuple[int | None, int | None, datetime]],
) -> None:
    areas = [
        np.array([math.nan if area is None else area for area in side], dtype=np.float64)
        for side in list(zip(*requests, strict=True))[:2]
    ]
    starts = np.array([request[2] for request in requests], dtype="datetime64[us]")
    matrix = feature_matrix(areas[0], areas[1], starts)
    rows = np.vstack([feature_row(*request) for request in requests])
    np.testing.assert_array_equal(matrix, rows)


def test_whole_numbers_and_floats_are_the_same_areas() -> None:
    starts = np.array(["2019-03-01T08:15"], dtype="datetime64[m]")
    from_numbers = feature_matrix(np.array([8]), np.array([0]), starts)
    from_floats = feature_matrix(np.array([8.0]), np.array([math.nan]), starts)
    np.testing.assert_array_equal(from_numbers, from_floats)


def test_no_trips_have_no_features() -> None:
    nothing = np.array([])
    assert feature_matrix(nothing, nothing, np.array([], dtype="datetime64[us]")).shape == (
        0,
        len(FEATURES),
    )


def test_the_time_of_day_is_in_hours_and_the_week_begins_on_monday() -> None:
    friday = row(8, 32, datetime(2019, 3, 1, 17, 45))
    assert (friday["hour"], friday["weekday"], friday["weekend"]) == (17.75, 4, 0)
    sunday = row(8, 32, datetime(2019, 3, 3))
    assert (sunday["hour"], sunday["weekday"], sunday["weekend"]) == (0, 6, 1)


def test_the_loop_lies_fifteen_miles_south_east_of_ohare() -> None:
    features = row(OHARE, LOOP, datetime(2019, 3, 1))
    assert features["miles"] == pytest.approx(15.3, abs=0.3)
    assert 90 < features["bearing"] < 135
    back = row(LOOP, OHARE, datetime(2019, 3, 1))
    assert back["miles"] == pytest.approx(features["miles"])
    assert 270 < back["bearing"] < 315


def test_an_unknown_area_makes_all_that_follows_from_it_nan() -> None:
    features = row(None, LOOP, datetime(2019, 3, 1))
    unknown = {name for name, value in features.items() if math.isnan(value)}
    assert unknown == {
        *("pickup_area", "pickup_latitude", "pickup_longitude", "pickup_airport"),
        *("miles", "miles_north", "miles_east", "bearing"),
    }


def test_miles_to_the_north_and_east_have_a_direction() -> None:
    features = row(OHARE, LOOP, datetime(2019, 3, 1))
    assert features["miles_north"] < 0 < features["miles_east"]
    together = math.hypot(features["miles_north"], features["miles_east"])
    assert together == pytest.approx(features["miles"], rel=1e-3)


def test_the_day_counts_on() -> None:
    days = [row(8, 32, datetime(2019, 3, day, 23))["day"] for day in (1, 2, 12)]
    assert np.diff(days).tolist() == [1, 10]


@pytest.mark.parametrize(
    ("day", "off"),
    [
        (datetime(2019, 1, 1), True),
        (datetime(2019, 5, 27), True),  # Memorial Day
        (datetime(2019, 5, 20), False),
        (datetime(2019, 7, 4), True),
        (datetime(2019, 9, 2), True),  # Labor Day
        (datetime(2019, 9, 9), False),
        (datetime(2019, 11, 28), True),  # Thanksgiving
        (datetime(2019, 11, 21), False),
        (datetime(2019, 12, 25), True),
        (datetime(2019, 3, 2), True),  # a Saturday
        (datetime(2019, 3, 1), False),
    ],
)
def test_holidays_and_weekends_are_days_off(day: datetime, off: bool) -> None:
    assert row(8, 32, day)["day_off"] == off


def test_a_trip_within_one_area_has_no_direction() -> None:
    features = row(LOOP, LOOP, datetime(2019, 3, 1))
    assert features["miles"] == 0
    assert math.isnan(features["bearing"])


@pytest.mark.parametrize("area", [area.number for area in AREAS])
def test_only_ohare_and_midway_are_airports(area: int) -> None:
    features = row(area, LOOP, datetime(2019, 3, 1))
    assert features["pickup_airport"] == (area in {OHARE, MIDWAY})


def test_a_single_row_takes_microseconds() -> None:
    started = datetime.now()
    for _ in range(1_000):
        feature_row(OHARE, LOOP, datetime(2019, 3, 1, 8))
    # It takes 2 µs; a matrix of one row would take 100.
    assert datetime.now() - started < timedelta(milliseconds=50)
