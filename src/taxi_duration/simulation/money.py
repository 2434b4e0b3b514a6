"""What a ride costs and how it is paid."""

import numpy as np

from taxi_duration.areas import MIDWAY, OHARE
from taxi_duration.simulation import calibration as measured
from taxi_duration.simulation.geography import Floats, Ints, Mask
from taxi_duration.simulation.rides import Rides

# The City's fare: $3.25, then $2.25 a mile and $0.25 for each 36 seconds of standing. A median
# regression over the whole day of 2022 gives 3.25 + 2.03 a mile + 0.165 a minute.
FLAG, PER_MILE, PER_MINUTE = 3.25, 2.03, 0.165
# Extras of that day: $4 from an airport three times in four; elsewhere mostly none.
AIRPORT_EXTRA, AIRPORT_SHARE = 4.0, 0.75
EXTRAS, EXTRA_SHARES = (0.0, 1.0, 4.0, 5.0, 1.5), (0.87, 0.07, 0.03, 0.02, 0.01)
# Tips of that day: median 24% of the fare, quartiles 21% and 33%.
TIP, TIP_SPREAD = 0.24, 0.33
# Tolls are on one trip of 770. One total of five has the 50 cents of a technology fee on top.
TOLL_SHARE, TOLL, FEE_SHARE, FEE = 0.0013, 1.5, 0.2, 0.5
# A fare that someone typed wrongly: up to $7,400 in 2022.
WRONG_SHARE, WRONG_FACTOR, MAX_FARE = 0.0002, 60.0, 7_400.0

MOBILE = [name for name, _, _ in measured.PAYMENTS].index("Mobile")


def fares(rides: Rides, payment: Ints, rng: np.random.Generator) -> Floats:
    """Dollars on the meter, in quarters; a fare agreed in an application has any cents."""
    exact = FLAG + PER_MILE * rides.miles + PER_MINUTE * rides.minutes
    fare = np.where(payment == MOBILE, exact.round(2), (exact * 4).round() / 4)
    wrong = rng.random(len(rides)) < WRONG_SHARE
    return np.minimum(np.where(wrong, (fare * WRONG_FACTOR).round(2), fare), MAX_FARE)


def draw_payments(count: int, rng: np.random.Generator) -> Ints:
    """How each ride is paid: an index into the measured payments."""
    shares = np.array([share for _, share, _ in measured.PAYMENTS])
    return rng.choice(len(shares), count, p=shares / shares.sum())


def draw_tips(fare: Floats, payment: Ints, rng: np.random.Generator) -> Floats:
    """Dollars of tip that are on record."""
    tipped = np.array([share for _, _, share in measured.PAYMENTS])[payment]
    tip = np.minimum(fare * TIP * rng.lognormal(0, TIP_SPREAD, len(fare)), 100.0)
    return np.where(rng.random(len(fare)) < tipped, tip.round(2), 0.0)


def draw_extras(pickup: Ints, rng: np.random.Generator) -> Floats:
    """Dollars of airport fee and further passengers."""
    usual = rng.choice(EXTRAS, len(pickup), p=EXTRA_SHARES)
    airport: Mask = np.isin(pickup, (OHARE, MIDWAY))
    return np.where(airport & (rng.random(len(pickup)) < AIRPORT_SHARE), AIRPORT_EXTRA, usual)


def charges(rides: Rides, rng: np.random.Generator) -> tuple[Ints, dict[str, Floats]]:
    """How each ride is paid, and the City's five columns of dollars."""
    payment = draw_payments(len(rides), rng)
    fare = fares(rides, payment, rng)
    tips, extras = draw_tips(fare, payment, rng), draw_extras(rides.pickup, rng)
    tolls = np.where(rng.random(len(rides)) < TOLL_SHARE, TOLL, 0.0)
    fee = np.where(rng.random(len(rides)) < FEE_SHARE, FEE, 0.0)
    total = (fare + tips + tolls + extras + fee).round(2)
    return payment, {
        "fare": fare, "tips": tips, "tolls": tolls, "extras": extras, "trip_total": total,
    }  # fmt: skip
