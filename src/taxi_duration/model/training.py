"""Fitting the model that serves: quantile boosters, and an interval calibrated on later trips."""

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
from taxi_duration.model.features import FEATURES

# One thread: on two cores that also run the stack, LightGBM's threads wait for each other by
# spinning, and two take ten times as long as one.
PARAMETERS: Final[dict[str, float | int | str | bool]] = {
    "rounds": 200,
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}

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
    """The model of `train`, its interval calibrated on `calibration`, which is later.

    The median is fitted on both, as it needs no trips of its own to calibrate. `info` says what the
    trips are, and the parameters and seed of the fit; its margin and golden trips are filled in.
    """
    both = Sample.join(train, calibration)
    boosters = [
        _booster(both if name == "prediction" else train, quantile, info)
        for name, quantile in QUANTILES.items()
    ]
    margin = interval_margin(DurationModel(boosters, info), calibration)
    info = msgspec.structs.replace(info, interval_margin=margin)
    model = DurationModel(boosters, info)
    golden = tuple(
        GoldenTrip(pickup, dropoff, start, model.answer(pickup, dropoff, start))
        for pickup, dropoff, start in _GOLDEN
    )
    return DurationModel(boosters, msgspec.structs.replace(info, golden=golden))


def interval_margin(model: DurationModel, calibration: Sample) -> float:
    """Minutes by which to widen the interval so that it holds 80% of outcomes; may be negative.

    Split conformal quantile regression: Romano, Patterson and Candès, 2019, "Conformalized
    Quantile Regression". A trip's score is how far it lies outside the interval.
    """
    lower, _, upper = model.predict(calibration.features).T
    scores = np.maximum(lower - calibration.minutes, calibration.minutes - upper)
    rank = min(np.ceil((len(scores) + 1) * COVERAGE) / len(scores), 1.0)
    return float(np.quantile(scores, rank, method="higher"))


def importance(model: DurationModel) -> dict[str, float]:
    """The share of each feature in what the median booster's splits gained."""
    gains = model.boosters[1].feature_importance("gain")
    return dict(zip(FEATURES, (gains / max(gains.sum(), 1e-12)).tolist(), strict=True))


def _booster(trips: Sample, quantile: float, info: ModelInfo) -> lgb.Booster:
    parameters: dict[str, Any] = {**info.parameters, "seed": info.seed}
    rounds = parameters.pop("rounds")
    # L1 is the median, and LightGBM fits it faster than the quantile of one half.
    objective = (
        {"objective": "l1"}
        if quantile == QUANTILES["prediction"]
        else {"objective": "quantile", "alpha": quantile}
    )
    data = lgb.Dataset(trips.features, trips.minutes, feature_name=list(FEATURES))
    return lgb.train({**parameters, **objective}, data, num_boost_round=int(rounds))
