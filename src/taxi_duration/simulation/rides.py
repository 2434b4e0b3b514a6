"""The rides of one day in the simulated city, as they really happened: before any record of them.

When: the day's trips follow weekday and month, its hours the kind of day. Where: pairs of areas
follow the gravity of the period (geography.pair_shares). How long: the pair's median, times the
pace of hour and direction, weekday, month and day, times a spread that is wider on short trips.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from taxi_duration.areas import LOOP
from taxi_duration.simulation import calibration as measured
from taxi_duration.simulation.geography import (
    Floats,
    Ints,
    Mask,
    by_distance,
    distances,
    pair_miles,
    pair_minutes,
    pair_shares,
    period_of,
)

# Trips of one pair and hour in [week]: tails are those of Student's t with 5 degrees of freedom
# (whose quartiles lie at 0.727, a normal distribution's at 0.674), short trips are further from the
# median than long ones: 5% and 95% at -0.82 and 0.66 of the logarithm, 1% and 99% at -1.40, 1.12.
TAIL, QUARTILE = 5, 0.727 / 0.674
SHORTER, LONGER = 1.12, 0.93
# Spread (standard deviation of the logarithm) of trips that leave the city: quartiles of [week].
OUTSIDE_SPREAD = 0.6
DAILY_SPREAD = 0.05
# Miles between centroids from which traffic is that of expressways.
FAR = 5.0


@dataclass(frozen=True)
class Rides:
    """One row a ride. Areas are 1 to 77, 0 for outside the city; times are minutes of the day."""

    start: Floats
    quarter: Ints  # of the day, 0 to 95: the start as the City rounds it
    pickup: Ints
    dropoff: Ints
    minutes: Floats
    miles: Floats

    def __len__(self) -> int:
        return len(self.start)


def rides_of(day: date, trips_per_day: int, rng: np.random.Generator) -> Rides:
    """The rides of a day; `trips_per_day` is the year's average."""
    count = ride_count(day, trips_per_day, rng)
    hour = rng.choice(24, count, p=hour_shares(day))
    quarter = hour * 4 + rng.integers(0, 4, count)
    start = quarter * 15 + rng.uniform(-7.5, 7.5, count)
    period = period_of(hour, np.full(count, day.weekday() >= 5))
    pair = draw_pairs(pair_shares(day.month), period, rng)
    pickup, dropoff = np.divmod(pair, 77)
    minutes, miles = durations(day, start / 60, pickup, dropoff, rng)
    leaves, comes = crosses_border(pickup, rng)
    outside = leaves | comes
    minutes[outside], miles[outside] = outside_trips(int(outside.sum()), rng)
    return Rides(
        start, quarter, np.where(comes, 0, pickup + 1), np.where(leaves, 0, dropoff + 1),
        minutes, miles,
    )  # fmt: skip


def ride_count(day: date, trips_per_day: int, rng: np.random.Generator) -> int:
    """How many rides the day has."""
    season = measured.TRIPS_BY_MONTH[day.month - 1] * measured.TRIPS_BY_WEEKDAY[day.weekday()]
    return round(trips_per_day * season / 10_000 * rng.lognormal(0, DAILY_SPREAD))


def hour_shares(day: date) -> Floats:
    """Share of the day's rides in each hour, (24,)."""
    shares = np.array(measured.TRIPS_BY_HOUR[max(day.weekday() - 3, 0)], dtype=float)
    return np.asarray(shares / shares.sum())


def draw_pairs(shares: Floats, period: Ints, rng: np.random.Generator) -> Ints:
    """A pair (pickup * 77 + dropoff, from 0) for each ride, by the shares of its period."""
    pairs = np.empty(len(period), dtype=np.int64)
    for number in np.unique(period):
        rides = np.flatnonzero(period == number)
        upto = np.cumsum(shares[number].ravel())
        pairs[rides] = np.searchsorted(upto / upto[-1], rng.random(len(rides)), side="right")
    return pairs


def durations(
    day: date, hour: Floats, pickup: Ints, dropoff: Ints, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Minutes and miles of each ride, which are long or short together."""
    month, weekday = day.month - 1, day.weekday()
    pace = measured.PACE_BY_MONTH[month] * measured.PACE_BY_WEEKDAY[weekday] / 10_000
    pace *= rng.lognormal(0, measured.PACE_BY_DAY_SPREAD)
    traffic, other = rng.standard_t(TAIL, (2, len(hour))) / QUARTILE
    traffic *= np.where(traffic < 0, SHORTER, LONGER)
    common = measured.MINUTES_WITH_MILES
    way = common * traffic + np.sqrt(1 - common**2) * other
    pair = pickup, dropoff
    weekend = np.full(len(hour), weekday >= 5)
    pace_now = pace * hourly_pace(np.array(measured.PACE_BY_HOUR), weekend, hour, *pair)
    minutes = pair_minutes()[pair] * np.exp(by_distance(measured.MINUTES_SPREAD)[pair] * traffic)
    miles = pair_miles()[pair] * np.exp(by_distance(measured.MILES_SPREAD)[pair] * way)
    return minutes * pace_now, miles


def hourly_pace(table: Floats, weekend: Mask, hour: Floats, pickup: Ints, dropoff: Ints) -> Floats:
    """Minutes against the pair's median, by time of day, read between the middles of hours.

    `table` (5, 24) is PACE_BY_HOUR; hours are 0 to 24, pairs are indices of areas.
    """
    from_loop = distances()[LOOP - 1]
    inbound = from_loop[pickup] > from_loop[dropoff]
    far = distances()[pickup, dropoff] >= FAR
    weekday_kind = np.where(far, np.where(inbound, 1, 2), 0)
    kind = np.where(weekend, np.where(far, 4, 3), weekday_kind)
    before = np.floor(hour - 0.5).astype(np.int64)
    after = hour - 0.5 - before
    pace = table[kind, before % 24] * (1 - after) + table[kind, (before + 1) % 24] * after
    return np.asarray(pace / 100)


def crosses_border(pickup: Ints, rng: np.random.Generator) -> tuple[Mask, Mask]:
    """Which rides leave the city and which come into it."""
    leaving = np.full(77, measured.NO_DROPOFF_BY_PICKUP[0])
    for area, share in measured.NO_DROPOFF_BY_PICKUP.items():
        leaving[area - 1] = share if area else leaving[area - 1]
    leaves = rng.random(len(pickup)) < leaving[pickup]
    return leaves, ~leaves & (rng.random(len(pickup)) < measured.NO_PICKUP)


def outside_trips(count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Minutes and miles of rides that cross the city's border."""
    way = rng.normal(0, OUTSIDE_SPREAD, count)
    minutes = measured.OUTSIDE_MINUTES * np.exp(way)
    return minutes, measured.OUTSIDE_MILES * np.exp(way + rng.normal(0, 0.2, count))
