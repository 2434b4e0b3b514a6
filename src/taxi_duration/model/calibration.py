"""How far an interval has to be moved to hold its share of the trips that nobody has seen yet.

Trips of one day share their weather and traffic, and a day that was learnt from is known better
than one to come. So days are left out in turns, and each is answered by boosters that did not see
it: cross-conformal prediction (Vovk, 2015, "Cross-conformal predictors") by blocks of days. One day
alone, however it is chosen, says too little: a quiet Saturday calibrates too wide an interval for
the working days that follow.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taxi_duration.model.dataset import Sample
from taxi_duration.model.duration_model import COVERAGE
from taxi_duration.model.features import GROUPS, Floats, trip_groups
from taxi_duration.model.history import column

# Each block costs the fit of another interval.
BLOCKS: Final = 4
# A group of few trips, or of few days, leans on the common margin as if it had so many of that.
_PRIOR_TRIPS: Final = 100
_PRIOR_DAYS: Final = 30


class Fold(NamedTuple):
    """The trips that boosters are fitted on, and those of the block that is left out."""

    fitted: Sample
    left_out: Sample


class Margins(NamedTuple):
    """Minutes by which an interval has to be wider on either side; negative: narrower."""

    common: float
    # By name of GROUPS; a group without trips has none.
    groups: dict[str, float]


def folds(train: Sample, calibration: Sample) -> Iterator[Fold]:
    """Each block of days of `train` left out in turn, and at last `calibration`, which is later.

    A history of one day has no other day to leave out: its evening, `calibration`, says it all.
    """
    day = column(Sample.join(train, calibration).features, "day")
    if np.ptp(day):
        block = day_blocks(train.features, BLOCKS - 1)
        for number in np.unique(block):
            out = block == number
            yield Fold(Sample.join(train.only(~out), calibration), train.only(out))
    yield Fold(train, calibration)


def day_blocks(features: Floats, count: int) -> NDArray[np.intp]:
    """The block of each of n trips, (n,): `count` runs of days, or fewer where days are fewer."""
    days, place = np.unique(column(features, "day"), return_inverse=True)
    count = min(count, len(days))
    return np.asarray(place * count // max(len(days), 1))


def margins(scores: Floats, weights: Floats, features: Floats) -> Margins:
    """The margins that hold COVERAGE of the weight of n trips, from their scores, of shape (n,).

    A trip's score is by how many minutes it lies outside the interval (conformalized quantile
    regression: Romano, Patterson and Candès, 2019). The weights let the latest trips count most
    (Barber et al., 2023, "Conformal prediction beyond exchangeability"). Groups have margins of
    their own (Mondrian: Vovk et al., 2003), drawn to the common one where they are small, or where
    the days are few: a handful of days says little of how a group's days differ.
    """
    common = _margin(scores, weights)
    groups = trip_groups(features)
    _, firsts = np.unique(column(features, "day"), return_index=True)
    days = effective(weights[firsts])
    # One day says nothing of how days differ, in a group or in all of them.
    known = days / (days + _PRIOR_DAYS) if len(firsts) > 1 else 1.0
    found = {}
    for place, name in enumerate(GROUPS):
        own = groups == place
        if own.any():
            trips = effective(weights[own])
            share = known * trips / (trips + _PRIOR_TRIPS)
            found[name] = share * _margin(scores[own], weights[own]) + (1 - share) * common
    return Margins(common, found)


def effective(weights: Floats) -> float:
    """How many of equal weight say as much as these (Kish, 1965, "Survey Sampling")."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _margin(scores: Floats, weights: Floats) -> float:
    """The weighted quantile; the trip to come counts as one more, whose score may be any."""
    order = np.argsort(scores, kind="stable")
    held = np.cumsum(weights[order])
    asked = COVERAGE * (held[-1] + weights.max())
    place = min(int(np.searchsorted(held, asked)), len(scores) - 1)
    return float(scores[order][place])
