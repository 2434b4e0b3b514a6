"""What must hold of any model of taxi trips: invariance, direction, minimum functionality."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from taxi_duration.areas import LOOP, OHARE
from taxi_duration.model.dataset import trip_features
from trips_factory import make_trips, small_model

FRIDAY_NOON = datetime(2019, 3, 1, 12)
FRIDAY_EVENING = datetime(2019, 3, 1, 17)
NEAR_NORTH_SIDE, EDGEWATER, LAKE_VIEW = 8, 77, 6


def predicted(pickup: int | None, dropoff: int | None, start: datetime = FRIDAY_NOON) -> float:
    return small_model().answer(pickup, dropoff, start).prediction


@pytest.mark.parametrize("column", ["trip_id", "taxi_id", "company", "payment_type"])
def test_who_drives_whom_changes_nothing(column: str) -> None:
    trips = make_trips("2019-03", count=200)
    index = trips.column_names.index(column)
    other = trips.set_column(index, column, pa.array(["another"] * len(trips)))
    before, after = (small_model().predict(trip_features(table)) for table in (trips, other))
    np.testing.assert_array_equal(before, after)


def test_the_order_of_trips_changes_nothing() -> None:
    features = trip_features(make_trips("2019-03", count=200))
    forward, backward = (small_model().predict(rows) for rows in (features, features[::-1].copy()))
    np.testing.assert_array_equal(forward, backward[::-1])


def test_farther_takes_longer() -> None:
    distances = (NEAR_NORTH_SIDE, LAKE_VIEW, EDGEWATER)
    minutes = [predicted(LOOP, dropoff) for dropoff in distances]
    assert minutes == sorted(minutes)
    assert minutes[-1] > minutes[0] + 5


@pytest.mark.parametrize("pair", [(LOOP, OHARE), (LOOP, LAKE_VIEW), (EDGEWATER, LOOP)])
def test_rush_hour_takes_longer(pair: tuple[int, int]) -> None:
    assert predicted(*pair, FRIDAY_EVENING) > predicted(*pair, FRIDAY_NOON)


def test_from_ohare_to_the_loop_takes_25_to_70_minutes() -> None:
    assert 25 < predicted(OHARE, LOOP) < 70


def test_a_trip_within_the_loop_takes_a_few_minutes() -> None:
    assert 3 < predicted(LOOP, LOOP) < 15


@pytest.mark.parametrize("pair", [(None, LOOP), (LOOP, None), (None, None)])
def test_an_unknown_area_gets_a_sensible_answer_that_is_less_certain(
    pair: tuple[int | None, int | None],
) -> None:
    unknown = small_model().answer(*pair, FRIDAY_NOON)
    known = small_model().answer(LOOP, NEAR_NORTH_SIDE, FRIDAY_NOON)
    assert 3 < unknown.prediction < 50
    assert unknown.upper - unknown.lower > known.upper - known.lower
