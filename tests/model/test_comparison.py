import time

import numpy as np
import pytest

from taxi_duration.model.comparison import by_segment, paired_gain
from taxi_duration.model.features import Floats
from taxi_duration.settings import load_settings

DAYS, A_DAY = 28, 200
START = np.datetime64("2019-03-01", "m") + np.repeat(np.arange(DAYS), A_DAY).astype(
    "timedelta64[D]"
)


def errors(seed: int, better: float = 0.0) -> Floats:
    return np.random.default_rng(seed).gamma(2.0, 2.0, len(START)) - better


def gain(rival: Floats, own: Floats, **changes: float) -> tuple[float, float]:
    told = {"confidence": 0.95, "seed": 42} | changes
    return paired_gain(rival, own, START, **told)  # type: ignore[arg-type]


def test_the_same_errors_gain_nothing_at_all() -> None:
    assert gain(errors(1), errors(1)) == (0.0, 0.0)


def test_a_gain_that_every_trip_has_is_certain() -> None:
    minutes, least = gain(errors(1), errors(1, better=0.5))
    assert minutes == pytest.approx(0.5)
    assert least == pytest.approx(0.5)


def test_the_lower_end_is_the_lower_the_surer_it_has_to_be() -> None:
    rival, own = errors(1), errors(2, better=0.1)
    minutes, least = gain(rival, own)
    _, surer = gain(rival, own, confidence=0.99)
    assert surer < least < minutes


def test_a_gain_on_a_few_days_is_less_sure_than_one_on_all() -> None:
    rival = errors(1)
    lucky = np.where(np.arange(len(START)) < 3 * A_DAY, rival - 2.0, rival)
    steady = rival - 2.0 * 3 / DAYS
    assert gain(rival, lucky)[0] == pytest.approx(gain(rival, steady)[0])
    assert gain(rival, lucky)[1] < 0.6 * gain(rival, steady)[1]


def test_the_lower_end_holds_as_often_as_it_says() -> None:
    """The true gain is nothing; a bound above it is wrong, which 5% of all may be."""
    wrong = 0
    for seed in range(200):
        noise = np.random.default_rng(seed)
        by_day = np.repeat(noise.normal(0, 0.3, DAYS), A_DAY)
        wrong += gain(by_day + noise.normal(0, 1, len(START)), np.zeros(len(START)))[1] > 0
    assert 0.01 <= wrong / 200 <= 0.11


def test_the_lower_end_holds_so_on_the_fewest_trips_that_the_gate_decides_from() -> None:
    settings = load_settings()
    trips, hours = settings.gate_min_trips, settings.gate_min_hours
    wrong = 0
    for seed in range(200):
        noise = np.random.default_rng(seed)
        hour = noise.integers(0, hours, trips)
        rival = noise.normal(0, 1, trips) + noise.normal(0, 0.3, hours)[hour]
        start = START[0] + hour.astype("timedelta64[h]")
        found = paired_gain(rival, np.zeros(trips), start, confidence=0.95, seed=seed)
        wrong += found.least > settings.gate_margin_minutes
    assert 0.01 <= wrong / 200 <= 0.11


def test_the_same_seed_gives_the_same_bound() -> None:
    rival, own = errors(1), errors(2)
    assert gain(rival, own) == gain(rival, own)
    assert gain(rival, own) != gain(rival, own, seed=7)


def test_with_few_days_hours_are_drawn() -> None:
    hours = np.datetime64("2019-01-09", "h") + (np.arange(len(START)) % 72).astype("timedelta64[h]")
    rival, own = errors(1), errors(2, better=0.3)
    found = paired_gain(rival, own, hours, confidence=0.95, seed=42)
    assert 0 < found.least < found.minutes


def test_a_million_trips_take_no_time() -> None:
    many = np.random.default_rng(0).gamma(2.0, 2.0, (2, 1_000_000))
    start = np.sort(
        np.datetime64("2019-03-01", "s") + np.arange(1_000_000) * np.timedelta64(2, "s")
    )
    began = time.perf_counter()
    paired_gain(many[0], many[1], start, confidence=0.95, seed=42)
    assert time.perf_counter() - began < 2


def test_segments_are_compared_where_they_are_large() -> None:
    minutes = np.array([10.0, 20.0, 30.0, 40.0])
    answers = np.column_stack([minutes - 1, minutes + 2, minutes + 3])
    answers[0] = [11, 11, 12]
    first, rest = np.array([True, False, False, False]), np.array([False, True, True, True])
    found = by_segment(
        minutes,
        answers,
        np.subtract(minutes, 4.0),
        {"first": first, "rest": rest, "all": first | rest},
        2,
    )
    assert [each.name for each in found] == ["rest", "all"]
    assert (found[0].trips, found[0].mae, found[0].rival_mae) == (3, 2.0, 4.0)
    assert found[0].worse == -0.5
    assert (found[0].coverage_80, found[1].coverage_80) == (1.0, 0.75)
