"""What a model is measured against: medians by group, and two regressions on the areas alone.

All are fitted on, and answer to, the same feature matrix as the model.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from taxi_duration.areas import AREAS
from taxi_duration.model.dataset import Sample
from taxi_duration.model.features import FEATURES, UNKNOWN_AREA, Floats

# How many values each key of a group can have; areas with the unknown one.
_SIZES: Final = {
    "pickup_area": len(AREAS) + 1,
    "dropoff_area": len(AREAS) + 1,
    "weekend": 2,
    "hour": 24,
}
PAIR: Final = ("pickup_area", "dropoff_area")
# From the finest group to the coarsest.
PAIR_LEVELS: Final = (PAIR, ("pickup_area",))
FLOOR_LEVELS: Final = ((*PAIR, "weekend", "hour"), PAIR, ("pickup_area", "hour"), ("pickup_area",))
# The median of one or two trips says less than that of the next coarser group.
MIN_TRIPS: Final = 3


class Predictor(Protocol):
    """Anything that answers minutes, of shape (n,), to features, (n, len(FEATURES))."""

    def predict(self, features: Floats) -> Floats:
        """Minutes for each row."""


class MedianTable:
    """The median duration of a trip's group: the first that has enough trips, else of all trips."""

    def __init__(self, levels: Sequence[tuple[str, ...]], medians: Sequence[Any], overall: float):
        self.levels = levels
        self.medians = medians
        self.overall = overall

    @classmethod
    def fit(cls, trips: Sample, levels: Sequence[tuple[str, ...]]) -> Self:
        """The table of the given levels, finest first; a group has at least MIN_TRIPS."""
        durations = pd.Series(trips.minutes)
        medians = []
        for keys in levels:
            groups = durations.groupby(_groups(trips.features, keys)).agg(["median", "size"])
            medians.append(groups.loc[groups["size"] >= MIN_TRIPS, "median"])
        return cls(levels, medians, float(durations.median()))

    def predict(self, features: Floats) -> Floats:
        """Minutes for each row, of shape (n,)."""
        minutes = np.full(len(features), np.nan)
        for keys, medians in zip(self.levels, self.medians, strict=True):
            missing = np.isnan(minutes)
            minutes[missing] = medians.reindex(_groups(features[missing], keys)).to_numpy()
        minutes[np.isnan(minutes)] = self.overall
        return minutes


class PairRegression:
    """A scikit-learn regression on the two areas alone."""

    def __init__(self, regression: Any) -> None:
        self.regression = regression

    @classmethod
    def fit(cls, trips: Sample, regression: Any) -> Self:
        """The regression, fitted."""
        return cls(regression.fit(_pairs(trips.features), trips.minutes))

    def predict(self, features: Floats) -> Floats:
        """Minutes for each row, of shape (n,)."""
        return np.asarray(self.regression.predict(_pairs(features)), dtype=np.float64)


def fit_floor(trips: Sample) -> MedianTable:
    """Medians by pair, weekend and hour: the predictor that a model has to beat."""
    return MedianTable.fit(trips, FLOOR_LEVELS)


def _linear_regression() -> Any:
    return make_pipeline(OneHotEncoder(handle_unknown="ignore"), LinearRegression())


_TREES: Final = {"n_estimators": 50, "min_samples_leaf": 10}


def _table_parameters(levels: Sequence[tuple[str, ...]]) -> dict[str, object]:
    return {"groups": "; ".join(" and ".join(keys) for keys in levels), "min_trips": MIN_TRIPS}


class Baseline(NamedTuple):
    """How a baseline is fitted on trips with a seed, and the parameters that say so to a reader."""

    fit: Callable[[Sample, int], Predictor]
    parameters: Mapping[str, object]


BASELINES: Final[Mapping[str, Baseline]] = {
    "pair_median": Baseline(
        lambda trips, _: MedianTable.fit(trips, PAIR_LEVELS), _table_parameters(PAIR_LEVELS)
    ),
    "floor": Baseline(lambda trips, _: fit_floor(trips), _table_parameters(FLOOR_LEVELS)),
    "linear_regression": Baseline(
        lambda trips, _: PairRegression.fit(trips, _linear_regression()),
        {"encoding": "one-hot pickup and dropoff"},
    ),
    "extra_trees": Baseline(
        lambda trips, seed: PairRegression.fit(
            trips, ExtraTreesRegressor(**_TREES, random_state=seed)
        ),
        {"encoding": "pickup and dropoff as numbers", **_TREES},
    ),
}


def _column(features: Floats, name: str) -> NDArray[np.int64]:
    values = np.nan_to_num(features[:, FEATURES.index(name)], nan=UNKNOWN_AREA)
    return values.astype(np.int64)


def _groups(features: Floats, keys: Sequence[str]) -> NDArray[np.int64]:
    columns = [_column(features, key) for key in keys]
    return np.ravel_multi_index(columns, [_SIZES[key] for key in keys])


def _pairs(features: Floats) -> NDArray[np.int64]:
    return np.column_stack([_column(features, key) for key in PAIR])
