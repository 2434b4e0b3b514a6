"""Margins of intervals, from days that were left out in turn."""

import numpy as np
import pytest

from taxi_duration.model.calibration import (
    BLOCKS,
    day_blocks,
    effective,
    folds,
    margins,
)
from taxi_duration.model.dataset import Sample
from taxi_duration.model.features import Floats, feature_matrix

O_HARE, LOOP = 76, 32


def features(days: int, trips_a_day: int = 96, pickup: int = LOOP) -> Floats:
    """Trips that begin at even spaces from 1 February 2019 on."""
    trips = days * trips_a_day
    start = np.datetime64("2019-02-01", "us") + np.arange(trips) * np.timedelta64(
        24 * 60 // trips_a_day, "m"
    )
    return feature_matrix(np.full(trips, pickup), np.full(trips, LOOP), start)


def history(days: int) -> Sample:
    rows = features(days)
    return Sample(rows, np.arange(len(rows), dtype=np.float64))


@pytest.mark.parametrize(("days", "blocks"), [(2, 2), (3, 3), (10, 3), (60, 3)])
def test_days_are_cut_into_runs_of_about_the_same_length(days: int, blocks: int) -> None:
    block = day_blocks(features(days), 3)
    assert (np.diff(block) >= 0).all()
    by_day = block.reshape(days, -1)
    assert (by_day == by_day[:, :1]).all()
    lengths = np.bincount(by_day[:, 0])
    assert len(lengths) == blocks
    assert np.ptp(lengths) <= 1


def test_the_evening_of_a_single_day_alone_is_left_out() -> None:
    every = history(1)
    early = np.arange(96) < 84
    [only] = folds(every.only(early), every.only(~early))
    assert (len(only.fitted.minutes), len(only.left_out.minutes)) == (84, 12)


def test_every_trip_is_left_out_once_and_never_by_boosters_that_saw_it() -> None:
    every = history(8)
    early = np.arange(len(every.minutes)) < 7 * 96
    parts = list(folds(every.only(early), every.only(~early)))
    assert len(parts) == BLOCKS
    left_out = np.concatenate([part.left_out.minutes for part in parts])
    assert sorted(left_out) == sorted(every.minutes)
    for fitted, out in parts:
        assert not {*fitted.minutes} & {*out.minutes}
        assert len(fitted.minutes) + len(out.minutes) == len(every.minutes)


def test_the_common_margin_holds_four_of_five() -> None:
    scores = np.random.default_rng(0).normal(size=2_000)
    margin = margins(scores, np.ones(2_000), features(21)[:2_000]).common
    assert (scores <= margin).mean() == pytest.approx(0.8, abs=0.002)


def test_a_group_of_many_trips_and_days_has_about_its_own_margin() -> None:
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0, 1, 4_800), rng.normal(0, 5, 4_800)])
    rows = np.vstack([features(400, 12), features(400, 12, O_HARE)])
    found = margins(scores, np.ones(9_600), rows)
    far, near = found.groups["from an airport"], found.groups["short"]
    assert (scores[4_800:] <= far).mean() == pytest.approx(0.8, abs=0.04)
    assert (scores[:4_800] <= near).mean() == pytest.approx(0.8, abs=0.06)


def test_a_group_of_few_days_leans_on_the_common_margin() -> None:
    scores = np.concatenate([np.zeros(4_800), np.full(960, 10.0)])

    def of_airport(days: int) -> float:
        rows = np.vstack([features(days, 4_800 // days), features(days, 960 // days, O_HARE)])
        return margins(scores, np.ones(5_760), rows).groups["from an airport"]

    assert of_airport(2) < of_airport(30) < 10


def test_a_group_of_few_trips_leans_on_the_common_margin() -> None:
    rows = np.vstack([features(50), features(1, pickup=O_HARE)[:1]])
    scores = np.concatenate([np.zeros(4_800), [30.0]])
    found = margins(scores, np.ones(4_801), rows)
    assert 0 < found.groups["from an airport"] < 1
    assert "to an airport" not in found.groups


def test_later_trips_count_most() -> None:
    scores = np.concatenate([np.full(1_000, 9.0), np.full(1_000, 1.0)])
    weights = np.concatenate([np.full(1_000, 0.01), np.ones(1_000)])
    rows = features(21)[:2_000]
    assert margins(scores, weights, rows).common == 1
    assert margins(scores, np.ones(2_000), rows).common == 9


def test_trips_of_equal_weight_count_as_what_they_are() -> None:
    assert effective(np.full(50, 0.3)) == pytest.approx(50)
    assert effective(np.array([1.0, 0.0])) == pytest.approx(1)
