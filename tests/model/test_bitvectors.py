from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from taxi_duration.areas import AREAS
from taxi_duration.model.bitvectors import Bitvectors, representable
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.model.features import FEATURES, FEATURES_OF, Floats, feature_matrix
from trips_factory import make_trips, sample, small_model


def some_features(count: int, seed: int = 0) -> Floats:
    """Trips between any areas, 0 being unknown, at any second of a year."""
    random = np.random.default_rng(seed)
    start = np.datetime64("2019-01-01", "us") + random.integers(0, 365 * 86_400, count) * 1_000_000
    areas = random.integers(0, len(AREAS) + 1, (2, count))
    return feature_matrix(areas[0], areas[1], start)


def holes(features: Floats, share: float = 0.1) -> Floats:
    """The features with some of them missing, as no trip has them."""
    missing = np.random.default_rng(1).random(features.shape) < share
    return np.where(missing, np.nan, features)


def expected(boosters: tuple[lgb.Booster, ...], features: Floats) -> Floats:
    return np.column_stack([booster.predict(features, num_threads=1) for booster in boosters])


def answered(rows: Bitvectors, features: Floats) -> Floats:
    return np.array([rows.predict(rows.cell(features[n : n + 1])) for n in range(len(features))])


@cache
def fast() -> Bitvectors:
    return Bitvectors(small_model().texts(), FEATURES_OF)


@cache
def loaded() -> DurationModel:
    model = DurationModel(small_model().boosters, small_model().info)
    model.prepare_rows()
    return model


def booster(categories: tuple[str, ...] = (), **parameters: Any) -> lgb.Booster:
    trips = sample(make_trips("2019-03", count=4_000))
    options = {"objective": "l1", "num_threads": 1, "verbosity": -1, "deterministic": True}
    data = lgb.Dataset(
        trips.features,
        trips.minutes,
        feature_name=list(FEATURES),
        categorical_feature=list(categories),
    )
    return lgb.train({**options, **parameters}, data, 5)


def text(one: lgb.Booster) -> bytes:
    return bytes(one.model_to_string().encode())


@pytest.mark.slow
def test_a_row_is_answered_as_lightgbm_answers_it_to_the_last_bit() -> None:
    features = some_features(3_000)
    assert (answered(fast(), features) == expected(small_model().boosters, features)).all()


def test_so_is_a_row_in_which_anything_is_missing() -> None:
    features = holes(some_features(3_000))
    assert (answered(fast(), features) == expected(small_model().boosters, features)).all()


def test_so_is_a_row_that_lies_on_the_thresholds_or_far_beyond() -> None:
    model = small_model().boosters[1]
    thresholds = [
        [float(t) for t in line.removeprefix("threshold=").split()]
        for line in model.model_to_string().splitlines()
        if line.startswith("threshold=")
    ]
    values = np.array([*(t for tree in thresholds[:20] for t in tree), 0.0, -1e300, 1e300, np.inf])
    values = np.unique(np.concatenate([values, np.nextafter(values, np.inf)]))
    # What is not zero but nearer to it than this LightGBM takes for zero; no feature is.
    values = values[(values == 0) | (np.abs(values) > 1e-30)]
    features = np.random.default_rng(2).choice(values, (2_000, len(FEATURES)))
    assert (answered(fast(), features) == expected(small_model().boosters, features)).all()


def test_a_trip_alone_is_answered_as_in_a_list() -> None:
    features = some_features(3_000, seed=3)
    alone = np.vstack([loaded().predict_row(features[n : n + 1]) for n in range(len(features))])
    assert (alone == loaded().predict(features)).all()


def test_a_few_trips_are_answered_as_many_are() -> None:
    features = some_features(300, seed=5)
    assert (loaded().predict_few(features) == loaded().predict(features)).all()
    assert loaded().predict_few(features[:0]).shape == (0, 3)


def test_a_trip_that_is_asked_again_has_the_same_answer_and_nobody_can_change_it() -> None:
    features = some_features(1, seed=6)
    first = loaded().predict_row(features)
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 0.0
    assert (loaded().predict_row(features.copy()) == first).all()


def test_rows_of_a_cell_differ_in_the_hour_only_and_between_the_same_thresholds() -> None:
    [row] = some_features(1, seed=7)
    rows = np.tile(row, (1_440, 1))
    rows[:, -1] = np.arange(1_440) / 60
    cells = [fast().cell(rows[n : n + 1]) for n in range(len(rows))]
    answers = expected(small_model().boosters, rows)
    for cell in set(cells):
        same = answers[[n for n, each in enumerate(cells) if each == cell]]
        assert (same == same[0]).all()
    assert 10 < len(set(cells)) < 1_440
    elsewhere = rows[:1].copy()
    elsewhere[0, 0] += 1
    assert fast().cell(elsewhere) not in cells


def test_threads_that_share_it_get_their_own_answers() -> None:
    features = some_features(400, seed=4)
    rows = Bitvectors(small_model().texts(), FEATURES_OF)
    with ThreadPoolExecutor(8) as threads:
        everyones = list(threads.map(lambda _: answered(rows, features), range(8)))
    assert all((one == expected(small_model().boosters, features)).all() for one in everyones)


@pytest.mark.parametrize("leaves", [2, 64])
def test_trees_of_any_size_up_to_64_leaves_are_held(leaves: int) -> None:
    one = booster(num_leaves=leaves, min_data_in_leaf=5)
    features = holes(some_features(500))
    assert representable([text(one)])
    rows = Bitvectors([text(one)], FEATURES_OF)
    assert (answered(rows, features) == expected((one,), features)).all()


def test_trees_that_never_split_are_held() -> None:
    one = booster(min_data_in_leaf=100_000)
    features = some_features(20)
    rows = Bitvectors([text(one)], FEATURES_OF)
    assert (answered(rows, features) == expected((one,), features)).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"num_leaves": 65, "min_data_in_leaf": 2},
        {"categories": ("pickup_area",)},
        {"zero_as_missing": True},
        {"objective": "poisson"},
        {"objective": "l2", "linear_tree": True},
        {"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1},
    ],
)
def test_what_it_cannot_hold_is_left_to_lightgbm(parameters: dict[str, Any]) -> None:
    one = booster(**parameters)
    assert not representable([text(small_model().boosters[0]), text(one)])
    model = DurationModel((one, one, one), small_model().info)
    model.prepare_rows()
    features = some_features(1)
    assert (model.predict_row(features) == model.predict(features)).all()
