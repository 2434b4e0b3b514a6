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
from taxi_duration.model.features import Floats
from taxi_duration.model.groups import GROUPS, UNSEEN
from taxi_duration.model.history import column

# Each block costs the fit of another interval.
BLOCKS: Final = 4
# A group of few trips leans on the common margin as if it had so many trips of that.
_PRIOR_TRIPS: Final = 100
# A group whose margin is so many standard errors from the common one leans on it by half.
_DOUBTED_ERRORS: Final = 3.0


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


def margins(scores: Floats, weights: Floats, features: Floats, groups: NDArray[np.intp]) -> Margins:
    """The margins that hold COVERAGE of the weight of n trips, from their scores, of shape (n,).

    A trip's score is by how many minutes it lies outside the interval (conformalized quantile
    regression: Romano, Patterson and Candès, 2019). The weights let the latest trips count most
    (Barber et al., 2023, "Conformal prediction beyond exchangeability"). `groups` has the place of
    each trip in GROUPS, which have margins of their own (Mondrian: Vovk et al., 2003). They are
    drawn to the common one where they are small, and where a group's days disagree on how it
    differs: a handful of days says little of the next. Not so that of pairs that nothing was
    learned from, which is as far from the common one on every day.
    """
    common = _margin(scores, weights)
    days = np.unique(column(features, "day"), return_inverse=True)[1]
    of_days = np.array(
        [_margin(scores[days == day], weights[days == day]) for day in range(days.max() + 1)]
    )
    found = {}
    for place, name in enumerate(GROUPS):
        own = groups == place
        if own.any():
            margin = _margin(scores[own], weights[own])
            trips = effective(weights[own])
            share = trips / (trips + _PRIOR_TRIPS)
            # One day says nothing of how days differ, in a group or in all of them.
            if place != UNSEEN and len(of_days) > 1:
                error = _error(scores[own], weights[own], days[own], of_days)
                share *= _trusted(margin - common, error)
            found[name] = share * margin + (1 - share) * common
    return Margins(common, found)


def _error(scores: Floats, weights: Floats, days: NDArray[np.intp], of_days: Floats) -> float:
    """The standard error of how far a group's margin is from that of all, by its days.

    `of_days` are the margins of all trips of each day; `days` are places in it, of shape (n,).
    """
    present = np.unique(days)
    ours = [days == day for day in present]
    differences = np.array([_margin(scores[own], weights[own]) for own in ours]) - of_days[present]
    known = np.array([weights[own].sum() for own in ours])
    if (count := effective(known)) <= 1:
        return np.inf
    mean = np.average(differences, weights=known)
    return float(np.sqrt(np.average((differences - mean) ** 2, weights=known) / (count - 1)))


def _trusted(difference: float, error: float) -> float:
    """How much of a difference is believed that is known with such an error, between 0 and 1."""
    doubt = _DOUBTED_ERRORS * error
    return difference**2 / (difference**2 + doubt**2) if difference else 0.0


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
