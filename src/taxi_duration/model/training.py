"""Fitting the model that serves: quantile boosters, and an interval calibrated on later trips."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import lightgbm as lgb
import msgspec
import numpy as np

from taxi_duration.areas import LOOP, MIDWAY, OHARE
from taxi_duration.model.dataset import Sample
from taxi_duration.model.duration_model import (
    COVERAGE,
    QUANTILES,
    DurationModel,
    GoldenTrip,
    ModelInfo,
)
from taxi_duration.model.features import FEATURES, GROUPS, Floats, trip_groups
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
# A group of fewer trips leans on the common margin as if it had so many trips of that.
_GROUP_PRIOR: Final = 100

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
    """The model of `train` and `calibration`, which is later and says how far off it will be.

    The margins of the interval are those that boosters of `train` need to hold the trips of
    `calibration`; the boosters that serve are then fitted on both, as the latest trips say most of
    those to come. `info` says what the trips are, and the parameters and seed of the fit; its
    margins and golden trips are filled in.
    """
    both = Sample.join(train, calibration)
    median = fit_booster(both, "prediction", info)
    earlier = [median if q == "prediction" else fit_booster(train, q, info) for q in QUANTILES]
    info = _calibrated(DurationModel(earlier, info), calibration)
    boosters = [median if q == "prediction" else fit_booster(both, q, info) for q in QUANTILES]
    model = DurationModel(boosters, info)
    golden = tuple(
        GoldenTrip(pickup, dropoff, start, model.answer(pickup, dropoff, start))
        for pickup, dropoff, start in _GOLDEN
    )
    return DurationModel(boosters, msgspec.structs.replace(info, golden=golden))


def fit_booster(trips: Sample, name: str, info: ModelInfo) -> lgb.Booster:
    """The booster of one of QUANTILES."""
    parameters: dict[str, Any] = {**PARAMETERS, **info.parameters, "seed": info.seed}
    data = training_data(trips, float(parameters["half_life_days"]))
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


def booster_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the parameters that are LightGBM's own."""
    return {name: value for name, value in parameters.items() if name not in _OURS}


def training_data(trips: Sample, half_life_days: float) -> lgb.Dataset:
    """What a booster is fitted on: trips that say something of those to come, the latest most."""
    trips = trips.only(~lost_areas(trips.features))
    return lgb.Dataset(
        known_calendar(trips.features),
        trips.minutes,
        weight=recency(trips.features, half_life_days),
        feature_name=list(FEATURES),
    )


def _calibrated(model: DurationModel, calibration: Sample) -> ModelInfo:
    """The model's info with the margins that make its interval hold 80% of `calibration`.

    Split conformal quantile regression: Romano, Patterson and Candès, 2019, "Conformalized
    Quantile Regression". A trip's score is how far it lies outside the interval. Groups have
    margins of their own (Mondrian: Vovk et al., 2003), drawn to the common one where they are
    small.
    """
    scores = interval_scores(model, calibration)
    common = _margin(scores)
    groups = trip_groups(calibration.features)
    margins = {}
    for place, name in enumerate(GROUPS):
        own = scores[groups == place]
        if len(own):
            share = len(own) / (len(own) + _GROUP_PRIOR)
            margins[name] = share * _margin(own) + (1 - share) * common
    return msgspec.structs.replace(model.info, interval_margin=common, group_margins=margins)


def interval_scores(model: DurationModel, trips: Sample) -> Floats:
    """Minutes by which each trip lies outside what the boosters answer; negative: inside. (n,)."""
    features = trips.features
    lower = model.boosters[0].predict(features, num_threads=1)
    upper = model.boosters[2].predict(features, num_threads=1)
    return np.asarray(np.maximum(lower - trips.minutes, trips.minutes - upper))


def _margin(scores: Floats) -> float:
    rank = min(np.ceil((len(scores) + 1) * COVERAGE) / len(scores), 1.0)
    return float(np.quantile(scores, rank, method="higher"))


def importance(model: DurationModel) -> dict[str, float]:
    """The share of each feature in what the median booster's splits gained."""
    gains = model.boosters[1].feature_importance("gain")
    return dict(zip(FEATURES, (gains / max(gains.sum(), 1e-12)).tolist(), strict=True))
