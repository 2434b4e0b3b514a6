"""Margins of intervals, from days that were left out in turn."""

import numpy as np
import pytest
from numpy.typing import NDArray

from taxi_duration.model.calibration import (
    BLOCKS,
    Margins,
    day_blocks,
    effective,
    folds,
    margins,
)
from taxi_duration.model.dataset import Sample
from taxi_duration.model.features import Floats, feature_matrix
from taxi_duration.model.groups import GROUPS, UNSEEN, pair_groups, pair_numbers

Groups = NDArray[np.intp]
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


def found_margins(
    scores: Floats, rows: Floats, weights: Floats | None = None, groups: Groups | None = None
) -> Margins:
    weights = np.ones(len(scores)) if weights is None else weights
    groups = pair_groups(None)[pair_numbers(rows)] if groups is None else groups
    return margins(scores, weights, rows, groups)


def test_the_common_margin_holds_four_of_five() -> None:
    scores = np.random.default_rng(0).normal(size=2_000)
    margin = found_margins(scores, features(21)[:2_000]).common
    assert (scores <= margin).mean() == pytest.approx(0.8, abs=0.002)


def test_a_group_that_differs_on_every_day_has_about_its_own_margin() -> None:
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0, 1, 4_800), rng.normal(0, 5, 4_800)])
    rows = np.vstack([features(10, 480), features(10, 480, O_HARE)])
    found = found_margins(scores, rows)
    far, near = found.groups["from an airport"], found.groups["short"]
    assert (scores[4_800:] <= far).mean() == pytest.approx(0.8, abs=0.01)
    assert (scores[:4_800] <= near).mean() == pytest.approx(0.8, abs=0.02)


def test_a_group_whose_days_disagree_leans_on_the_common_margin() -> None:
    rows = np.vstack([features(2, 1_440), features(2, 288, O_HARE)])

    def of_airport(by_day: list[float]) -> float:
        scores = np.concatenate([np.zeros(2_880), np.repeat(by_day, 288)])
        return found_margins(scores, rows).groups["from an airport"]

    agreed, torn = of_airport([10.0, 10.0]), of_airport([0.0, 10.0])
    assert agreed > 8
    assert torn < 5


def test_a_group_of_one_day_among_others_leans_on_the_common_margin_alone() -> None:
    rows = np.vstack([features(10, 480), features(1, 480, O_HARE)])
    scores = np.concatenate([np.zeros(4_800), np.full(480, 10.0)])
    assert found_margins(scores, rows).groups["from an airport"] == 0


def test_in_a_history_of_one_day_a_group_has_about_its_own_margin() -> None:
    rows = np.vstack([features(1, 480), features(1, 480, O_HARE)])
    scores = np.concatenate([np.zeros(480), np.full(480, 10.0)])
    # Both quantiles are of the greater scores, which are half of all.
    assert found_margins(scores, rows).groups == {
        "from an airport": 10,
        "short": pytest.approx(1.7, abs=0.1),
    }


def test_the_margin_of_unseen_pairs_is_their_own_however_their_days_differ() -> None:
    rows = np.vstack([features(10, 480), features(10, 480, O_HARE)])
    scores = np.concatenate([np.zeros(4_800), np.repeat([0.0] * 7 + [10.0] * 3, 480)])
    groups = np.repeat([GROUPS.index("short"), UNSEEN], 4_800)
    assert found_margins(scores, rows, groups=groups).groups["unseen pair"] > 9


def test_a_group_of_few_trips_leans_on_the_common_margin() -> None:
    rows = np.vstack([features(50), features(50, 1, pickup=O_HARE)[:10]])
    scores = np.concatenate([np.zeros(4_800), np.full(10, 30.0)])
    found = found_margins(scores, rows)
    assert 0 < found.groups["from an airport"] < 5
    assert "to an airport" not in found.groups


def test_later_trips_count_most() -> None:
    scores = np.concatenate([np.full(1_000, 9.0), np.full(1_000, 1.0)])
    weights = np.concatenate([np.full(1_000, 0.01), np.ones(1_000)])
    rows = features(21)[:2_000]
    assert found_margins(scores, rows, weights).common == 1
    assert found_margins(scores, rows).common == 9


def test_trips_of_equal_weight_count_as_what_they_are() -> None:
    assert effective(np.full(50, 0.3)) == pytest.approx(50)
    assert effective(np.array([1.0, 0.0])) == pytest.approx(1)
