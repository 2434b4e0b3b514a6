"""How the 77 areas lie to each other, and how trips spread over the pairs of them.

Arrays over areas are indexed by area number less one.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from taxi_duration.areas import AREAS, OHARE
from taxi_duration.simulation import calibration

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# The pairs that no sample shows often differ as pairs do; how is the same in every simulated city.
SEED = 2019

# One degree in miles at Chicago's latitude of 41.88 degrees.
MILES_NORTH = 69.0
MILES_EAST = 69.17 * float(np.cos(np.radians(41.88)))
# Bins of distance: the same area, then up to each edge, in miles between centroids.
EDGES = (0.01, 1.4, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 9.0, 12.0, 15.0, 18.0)

# Hours at which the periods of a weekday begin: early (to the airports), morning, midday, rush,
# evening; then it is night.
PERIOD_STARTS = (4, 6, 10, 16, 19, 23)
WEEKEND = 6


@cache
def distances() -> Floats:
    """Miles between the centroids of two areas, straight, (77, 77)."""
    north = np.array([area.latitude for area in AREAS]) * MILES_NORTH
    east = np.array([area.longitude for area in AREAS]) * MILES_EAST
    return np.hypot(np.subtract.outer(north, north), np.subtract.outer(east, east))


@cache
def distance_bins() -> Ints:
    """The bin of distance that each pair lies in, (77, 77)."""
    return np.digitize(distances(), EDGES)


def period_of(hour: Ints, weekend: Mask) -> Ints:
    """The period of the week that each hour of a day lies in: 0 is night, 6 the weekend."""
    return np.where(weekend, WEEKEND, np.digitize(hour, PERIOD_STARTS) % WEEKEND)


def balance(pull: Floats, pickups: Floats, dropoffs: Floats, rounds: int = 30) -> Floats:
    """Share of trips of each pair, (periods, 77, 77): a gravity model.

    `pull` (77, 77) is what distance does to a pair; `pickups` and `dropoffs` (periods, 77) are the
    shares that the result's sums must have (iterative proportional fitting).
    """
    pairs = np.broadcast_to(pull, (len(pickups), *pull.shape)) * dropoffs[:, None, :]
    for _ in range(rounds):
        pairs = pairs * (pickups / pairs.sum(axis=2))[:, :, None]
        pairs = pairs * (dropoffs / pairs.sum(axis=1))[:, None, :]
    return np.asarray(pairs)


@cache
def pair_shares(month: int) -> Floats:
    """Share of a month's trips of each pair in each period, (periods, 77, 77); January is 1."""
    pull = np.array(calibration.PULL)[distance_bins()]
    pickup, dropoff, trips, _, _ = busy_pairs()
    pull[pickup, dropoff] *= trips / 100
    # An area without a trip in the sample gets half of the least share that can be written.
    pickups, dropoffs = (
        np.maximum(ends, 0.5) for ends in (calibration.PICKUPS, calibration.DROPOFFS)
    )
    for ends in (pickups, dropoffs):
        ends[:, OHARE - 1] *= calibration.OHARE_BY_MONTH[month - 1] / 100
        np.divide(ends, ends.sum(axis=1, keepdims=True), out=ends)
    return balance(pull, pickups, dropoffs)


def busy_pairs() -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """Pickups and dropoffs (as indices) of the busiest pairs; their trips, minutes and miles."""
    table = np.array(calibration.BUSY_PAIRS)
    return (*(table[:, :2].astype(np.int64) - 1).T, *table[:, 2:].T)


@cache
def pair_minutes() -> Floats:
    """Median minutes of each pair at the year's usual pace, (77, 77)."""
    between = np.random.default_rng(SEED).normal(0, calibration.PAIR_SPREAD, (77, 77))
    slow = np.outer(calibration.SLOW_PICKUP, calibration.SLOW_DROPOFF) / 10_000
    minutes = by_distance(calibration.MINUTES_BY_DISTANCE) * slow * np.exp(between)
    pickup, dropoff, _, taken, _ = busy_pairs()
    minutes[pickup, dropoff] = taken
    return np.asarray(minutes)


@cache
def pair_miles() -> Floats:
    """Median miles driven of each pair, (77, 77)."""
    miles = by_distance(calibration.MILES_BY_DISTANCE)
    pickup, dropoff, _, _, driven = busy_pairs()
    miles[pickup, dropoff] = driven
    return miles


def by_distance(values: Sequence[float]) -> Floats:
    """What is given at the knots of distance, for each pair, (77, 77)."""
    return np.interp(distances(), calibration.DISTANCE_KNOTS, values)
