from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from taxi_duration.errors import NoTripsError
from taxi_duration.model.split import split_by_time

MARCH = datetime(2019, 3, 1)


def quarters(*numbers: int) -> NDArray[np.datetime64]:
    """Starts as many quarters of an hour after the beginning of 2019."""
    return np.datetime64("2019-01-01T00:00:00", "us") + np.array(numbers) * np.timedelta64(15, "m")


@given(st.sets(st.integers(0, 8_000), min_size=30, max_size=200))
def test_every_trip_is_in_one_part_and_later_parts_are_later(numbers: set[int]) -> None:
    starts = quarters(0, 1, 2, *numbers, *numbers, 8_000)
    split = split_by_time(starts, MARCH)
    assert (split.train.astype(int) + split.calibration + split.test == 1).all()
    assert starts[split.train].max() < np.datetime64(split.calibration_from)
    assert starts[split.calibration].min() >= np.datetime64(split.calibration_from)
    assert starts[split.calibration].max() < np.datetime64(MARCH)
    assert starts[split.test].min() >= np.datetime64(MARCH)


def test_whole_days_with_an_eighth_of_the_history_or_more_calibrate() -> None:
    split = split_by_time(quarters(*range(5_000), 8_000), MARCH)
    assert split.calibration_from == datetime(2019, 2, 15)
    assert split.calibration.sum() == 5_000 - 45 * 96


def test_the_end_of_a_history_of_one_day_calibrates() -> None:
    split = split_by_time(quarters(*range(96), 8_000), MARCH)
    assert split.calibration_from == datetime(2019, 1, 1, 21)


def test_trips_of_one_moment_stay_together() -> None:
    split = split_by_time(quarters(0, *[7] * 99, 8_000), MARCH)
    assert split.train.sum() == 1
    assert split.calibration.sum() == 99


@pytest.mark.parametrize(
    "numbers", [(0, 1), (8_000, 8_001), (5, 5, 5, 8_000)], ids=["no test", "no history", "one time"]
)
def test_an_empty_part_is_an_error(numbers: tuple[int, ...]) -> None:
    with pytest.raises(NoTripsError):
        split_by_time(quarters(*numbers), MARCH)
