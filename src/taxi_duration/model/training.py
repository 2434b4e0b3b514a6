"""Fitting the model that serves: quantile boosters, and an interval calibrated on days left out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import lightgbm as lgb
import msgspec
import numpy as np
from numpy.typing import NDArray

from taxi_duration.areas import LOOP, MIDWAY, OHARE
from taxi_duration.errors import NoTripsError
from taxi_duration.model.calibration import folds, margins
from taxi_duration.model.dataset import Sample
from taxi_duration.model.duration_model import (
    QUANTILES,
    DurationModel,
    GoldenTrip,
    ModelInfo,
)
from taxi_duration.model.features import FEATURES, Floats
from taxi_duration.model.groups import pair_groups, pair_numbers, seen_pairs
from taxi_duration.model.history import known_calendar, lost_areas, recency

# One thread: on two cores that also run the stack, LightGBM's threads wait for each other by
# spinning, and two take ten times as long as one.
PARAMETERS: Final[dict[str, float | int | str | bool]] = {
    "rounds": 400,
    "learning_rate": 0.05,
    "num_leaves": 63,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    # The two ends of the interval.
    "interval_rounds": 150,
    "interval_learning_rate": 0.1,
    "interval_leaves": 31,
    # A trip that is so many days older than the latest counts half as much.
    "half_life_days": 30.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
# What is not LightGBM's own.
_OURS: Final = (
    "rounds",
    "interval_rounds",
    "interval_learning_rate",
    "interval_leaves",
    "half_life_days",
)

# Half of one trip, the least share that bagging may take, is none, which LightGBM refuses.
_LEAST_TRIPS: Final = 2

# Known and unknown areas, airports, a trip within one area, night, rush hour and weekend.
_GOLDEN: Final[tuple[tuple[int | None, int | None, datetime], ...]] = (
    (OHARE, LOOP, datetime(2019, 3, 1, 8, 0)),
    (LOOP, OHARE, datetime(2019, 3, 1, 17, 15)),
    (MIDWAY, 8, datetime(2019, 7, 14, 3, 30)),
    (8, 8, datetime(2022, 12, 10, 22, 45)),
    (None, 28, datetime(2019, 3, 1, 12, 0)),
    (6, None, datetime(2019, 3, 3, 12, 0)),
    (None, None, datetime(2024, 1, 1, 0, 0)),
)


def fit(train: Sample, calibration: Sample, info: ModelInfo) -> DurationModel:
    """The model of `train` and `calibration`, which is later.

    The boosters that serve are fitted on both, as the latest trips say most of those to come. The
    margins of their interval are those that boosters need which have not seen the trips they are
    asked for: `calibration`, and in turn each block of days of `train`. `info` says what the trips
    are, and the parameters and seed of the fit; its margins and golden trips are filled in.
    """
    both = Sample.join(train, calibration)
    boosters = [fit_booster(both, name, info) for name in QUANTILES]
    info = _calibrated(train, calibration, info)
    model = DurationModel(boosters, info)
    golden = tuple(
        GoldenTrip(pickup, dropoff, start, model.answer(pickup, dropoff, start))
        for pickup, dropoff, start in _GOLDEN
    )
    return DurationModel(boosters, msgspec.structs.replace(info, golden=golden))


def fit_booster(trips: Sample, name: str, info: ModelInfo) -> lgb.Booster:
    """The booster of one of QUANTILES. Raises NoTripsError where trips are too few."""
    parameters: dict[str, Any] = {**PARAMETERS, **info.parameters, "seed": info.seed}
    data = training_data(trips, half_life(info))
    rounds = parameters["rounds"]
    # L1 is the median, and LightGBM fits it faster than the quantile of one half.
    objective: dict[str, Any] = {"objective": "l1"}
    if name != "prediction":
        rounds = parameters["interval_rounds"]
        objective = {
            "objective": "quantile",
            "alpha": QUANTILES[name],
            "num_leaves": parameters["interval_leaves"],
            "learning_rate": parameters["interval_learning_rate"],
        }
    return lgb.train({**booster_parameters(parameters), **objective}, data, int(rounds))


def half_life(info: ModelInfo) -> float:
    """In how many days a trip comes to count half as much."""
    return float({**PARAMETERS, **info.parameters}["half_life_days"])


def booster_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the parameters that are LightGBM's own."""
    return {name: value for name, value in parameters.items() if name not in _OURS}


def training_data(trips: Sample, half_life_days: float) -> lgb.Dataset:
    """What a booster is fitted on: trips that say something of those to come, the latest most.

    Raises NoTripsError where there are too few.
    """
    trips = trips.only(~lost_areas(trips.features))
    if len(trips.minutes) < _LEAST_TRIPS:
        raise NoTripsError(
            f"There are too few trips to train on: a part of the model has {len(trips.minutes)} to"
            " learn from, once others are set apart to calibrate it.",
            "Train on more trips, at least on some hundreds of several days.",
        )
    return lgb.Dataset(
        known_calendar(trips.features),
        trips.minutes,
        weight=recency(trips.features, half_life_days),
        feature_name=list(FEATURES),
    )


def _calibrated(train: Sample, calibration: Sample, info: ModelInfo) -> ModelInfo:
    """The info with the margins that make an interval hold 80% of days that it has not seen."""
    left_out, groups, scores = [], [], []
    for fold in folds(train, calibration):
        left_out.append(fold.left_out)
        groups.append(_groups(fold.fitted, fold.left_out))
        scores.append(_scores(fold.fitted, fold.left_out, info))
    features = Sample.join(*left_out).features
    keep = ~lost_areas(features)
    features = features[keep]
    found = margins(
        np.concatenate(scores)[keep],
        recency(features, half_life(info)),
        features,
        np.concatenate(groups)[keep],
    )
    return msgspec.structs.replace(
        info,
        interval_margin=found.common,
        group_margins=found.groups,
        seen_pairs=seen_pairs(Sample.join(train, calibration).features),
    )


def _groups(fitted: Sample, left_out: Sample) -> NDArray[np.intp]:
    """The place in GROUPS of each trip, to boosters of others, of shape (n,)."""
    return pair_groups(seen_pairs(fitted.features))[pair_numbers(left_out.features)]


def _scores(fitted: Sample, left_out: Sample, info: ModelInfo) -> Floats:
    """Minutes by which each trip lies outside what boosters of others answer, of shape (n,)."""
    lower, upper = (
        fit_booster(fitted, name, info).predict(left_out.features, num_threads=1)
        for name in ("lower", "upper")
    )
    return np.asarray(np.maximum(lower - left_out.minutes, left_out.minutes - upper))


def importance(model: DurationModel) -> dict[str, float]:
    """The share of each feature in what the median booster's splits gained."""
    gains = model.boosters[1].feature_importance("gain")
    return dict(zip(FEATURES, (gains / max(gains.sum(), 1e-12)).tolist(), strict=True))
