"""What a history of trips can teach: which of them count, how much, and of which calendar.

All is read from the feature matrix, of shape (n, len(FEATURES)).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from taxi_duration.model.features import FEATURES, Floats

# A share of missing areas over so many times that of the usual day is a fault of the source.
_UNUSUAL_TIMES: Final = 2.0
# And over what chance makes of so many trips: so many standard deviations.
_UNUSUAL_DEVIATIONS: Final = 4.0
# How many days it takes to see a feature's whole cycle twice. What was seen once cannot be told
# from what else happened then: in a history of a week, Tuesday is New Year's Day.
_TWICE_DAYS: Final = {"weekday": 2 * 7, "month": 2 * 365}


def recency(features: Floats, half_life_days: float) -> Floats:
    """The weight of each trip, of shape (n,): 1 on the latest day, half as much a half-life before.

    The level of durations moves over months, and the next month is more like the last one.
    """
    day = column(features, "day")
    return np.asarray(0.5 ** ((day.max(initial=0.0) - day) / half_life_days))


def lost_areas(features: Floats) -> NDArray[np.bool_]:
    """The trips with a missing area on days when the source lost areas, as a mask of shape (n,).

    A missing area says that the trip began or ended outside the city. On some days the source
    leaves areas out of trips within the city as well, which are shorter; models that learn from
    these answer too little to the next trip from outside.
    """
    missing = np.isnan(column(features, "pickup_area") + column(features, "dropoff_area"))
    _, which, trips = np.unique(column(features, "day"), return_inverse=True, return_counts=True)
    shares = np.bincount(which, missing, minlength=len(trips)) / trips
    usual = float(np.median(shares)) if len(shares) else 0.0
    chance = np.sqrt(usual * (1 - usual) / trips)
    unusual = shares > usual * _UNUSUAL_TIMES + _UNUSUAL_DEVIATIONS * chance
    return np.asarray(missing & unusual[which])


def known_calendar(features: Floats) -> Floats:
    """The features without the parts of the calendar that the history does not cover twice.

    A column that is the same in all rows is one that no tree looks at, neither now nor later.
    """
    day = column(features, "day")
    days = float(np.ptp(day)) + 1 if len(day) else 0.0
    known = features.copy()
    known[:, FEATURES.index("day")] = 0
    for name, enough in _TWICE_DAYS.items():
        if days < enough:
            known[:, FEATURES.index(name)] = 0
    return known


def column(features: Floats, name: str) -> Floats:
    """One of FEATURES, of shape (n,)."""
    return features[:, FEATURES.index(name)]
