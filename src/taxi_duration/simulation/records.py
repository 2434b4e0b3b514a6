"""What the City publishes of a day's rides: meters that fail, areas that are missing, and all."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxi_duration.simulation import calibration as measured
from taxi_duration.simulation.columns import ROW_ID, TRIPS
from taxi_duration.simulation.fleet import Fleet
from taxi_duration.simulation.geography import Floats, Ints
from taxi_duration.simulation.money import charges
from taxi_duration.simulation.places import ends
from taxi_duration.simulation.rides import Rides

# Meters that ran on after the ride: with Pareto's exponent of 1.1 from one hour on, [week] is met:
# 0.54% over an hour (half of them real rides), 0.14% over two, 0.065% over four, never over a day.
FORGOTTEN_SHARE, FORGOTTEN_TAIL, DAY_SECONDS = 0.0024, 1.1, 86_399.0
# Trips of 1 to 59 seconds and of none: how many have no miles either ([week]).
SHORT_ZERO_MILES, NO_TIME_ZERO_MILES = 0.78, 0.98
# Wrong odometers: the whole day of 2022 has one trip of 512 miles.
WRONG_MILES_SHARE, MAX_MILES = 0.0002, 512.7
# Of the whole day of 2022: trips that are twice there under two ids, and trips without seconds.
TWICE_SHARE, NO_SECONDS_SHARE = 0.0006, 0.0001

BASE32 = np.frombuffer(b"abcdefghijkmnpqrstuvwxyz23456789", dtype="S1")


def records_of(day: date, rides: Rides, fleet: Fleet, rng: np.random.Generator) -> pa.Table:
    """The day's rows, sorted by start, with the columns of TRIPS."""
    taxi = rng.integers(0, len(fleet.taxi_id), len(rides))
    seconds = metered_seconds(rides, fleet, taxi, rng)
    lost = rng.random(len(rides)) < fleet.no_areas[taxi]
    known = replace(
        rides, pickup=np.where(lost, 0, rides.pickup), dropoff=np.where(lost, 0, rides.dropoff)
    )
    payment, dollars = charges(replace(rides, minutes=seconds / 60), rng)
    end = np.round((rides.start + seconds / 60) / 15).astype(np.int64)
    columns = {
        "taxi_id": fleet.taxi_id.take(pa.array(taxi)),
        "trip_start_timestamp": times(day, rides.quarter),
        "trip_end_timestamp": times(day, np.maximum(end, rides.quarter)),
        "trip_seconds": pa.array(seconds, mask=rng.random(len(rides)) < NO_SECONDS_SHARE),
        "trip_miles": pa.array(metered_miles(rides, seconds, fleet, taxi, rng)),
        **ends(known.pickup, known.dropoff, rng),
        **{name: pa.array(values) for name, values in dollars.items()},
        "payment_type": pa.array([name for name, _, _ in measured.PAYMENTS]).take(
            pa.array(payment)
        ),
        "company": fleet.company.take(pa.array(taxi)),
    }
    rows = published_order(rides.quarter, rng)
    columns = {name: values.take(rows) for name, values in columns.items()}
    columns["trip_id"], columns[ROW_ID] = trip_ids(len(rows), rng), row_ids(len(rows), rng)
    return pa.table({name: columns[name] for name in TRIPS.names}, schema=TRIPS)


def metered_seconds(rides: Rides, fleet: Fleet, taxi: Ints, rng: np.random.Generator) -> Floats:
    """Seconds on the meter: whole minutes in some taxis; false starts; meters left running."""
    count = len(rides)
    whole = fleet.whole_minutes[taxi]
    seconds = np.minimum((rides.minutes * 60).round(), DAY_SECONDS)
    forgotten = rng.random(count) < FORGOTTEN_SHARE
    running = 3600 * (1 + rng.pareto(FORGOTTEN_TAIL, count))
    seconds[forgotten] = np.minimum(running, DAY_SECONDS).round()[forgotten]
    # Meters that count minutes show such a start as nothing, so all that are seen are the others'.
    short = ~whole & (
        rng.random(count) < measured.UNDER_A_MINUTE / (1 - fleet.whole_minutes.mean())
    )
    seconds[short] = rng.integers(1, 60, count)[short]
    seconds[rng.random(count) < fleet.zero_seconds[taxi]] = 0
    return np.where(whole, (seconds / 60).round() * 60, seconds)


def metered_miles(
    rides: Rides, seconds: Floats, fleet: Fleet, taxi: Ints, rng: np.random.Generator
) -> Floats:
    """Miles on the meter: tenths in some taxis; none where it does not count them."""
    chance = np.where(seconds < 60, SHORT_ZERO_MILES, fleet.zero_miles[taxi])
    chance = np.where(seconds == 0, NO_TIME_ZERO_MILES, chance)
    miles = np.where(rng.random(len(rides)) < chance, 0.0, rides.miles)
    wrong = rng.random(len(rides)) < WRONG_MILES_SHARE
    miles = np.where(wrong, miles * rng.uniform(10, 100, len(rides)), np.minimum(miles, 99.0))
    return np.minimum(
        np.where(fleet.whole_minutes[taxi], miles.round(1), miles.round(2)), MAX_MILES
    )


def times(day: date, quarter: Ints) -> pa.Array:
    """The time of each quarter of an hour, counted from the day's midnight."""
    midnight = np.datetime64(datetime(day.year, day.month, day.day), "ms")
    return pa.array(midnight + quarter * np.timedelta64(15 * 60 * 1000, "ms"))


def published_order(quarter: Ints, rng: np.random.Generator) -> pa.Array:
    """Indices of the rides by start; a few of them twice."""
    twice = np.flatnonzero(rng.random(len(quarter)) < TWICE_SHARE)
    rows = np.concatenate([np.arange(len(quarter)), twice])
    return pa.array(rows[np.argsort(quarter[rows], kind="stable")])


def trip_ids(count: int, rng: np.random.Generator) -> pa.Array:
    """Ids like the City's: 40 hexadecimal digits, in no order."""
    text = np.frombuffer(rng.bytes(20 * count).hex().encode(), dtype="S40")
    return pc.cast(pa.array(text), pa.string())


def row_ids(count: int, rng: np.random.Generator) -> pa.Array:
    """Ids of rows like the City's: `row-mwp3.zu9k~c4dq`, in no order."""
    signs = BASE32[rng.integers(0, 32, (count, 18))]
    signs[:, :4] = np.frombuffer(b"row-", dtype="S1")
    signs[:, 8], signs[:, 13] = b".", b"~"
    return pc.cast(pa.array(np.ascontiguousarray(signs).view("S18").ravel()), pa.string())
