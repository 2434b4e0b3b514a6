"""The simulated city against figures of real trips (docs/simulation.md has them all).

The real figures were measured on all trips of 2 to 11 January 2019 in the City's open data (and of
1 March 2022 where that is said), by benchmarks/compare_simulation.py.
"""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from taxi_duration.simulation import figures
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.source import Window

DAYS = Window(datetime(2019, 1, 2), datetime(2019, 1, 11, 13))
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
MINUTES = (3.0, 5.4, 9.0, 15.0, 26.1, 34.0, 52.2)
MILES = (0.0, 0.6, 1.2, 2.8, 12.4, 17.3, 20.6)
DIRT = {
    "zero seconds": 0.0190,
    "under a minute": 0.0348,
    "over an hour": 0.0055,
    "over two hours": 0.0014,
    "whole minutes": 0.506,
    "zero miles": 0.143,
    "no pickup_community_area": 0.0592,
    "no dropoff_community_area": 0.0822,
    "no pickup_census_tract": 0.675,  # 1 March 2022
}
# Pickup and dropoff: share of trips, median minutes.
PAIRS = {
    (8, 8): (0.122, 5.5),
    (32, 8): (0.103, 8.0),
    (32, 32): (0.093, 5.5),
    (8, 32): (0.086, 8.0),
    (32, 28): (0.057, 7.0),
    (28, 32): (0.046, 6.8),
    (28, 8): (0.039, 10.1),
    (8, 28): (0.036, 10.4),
    (28, 28): (0.022, 5.9),
    (76, 8): (0.018, 29.1),
    (32, 76): (0.009, 29.5),
}
# Percent of trips by hour of the day from midnight.
HOURS = (
    2.0, 1.6, 1.2, 0.9, 0.7, 0.8, 1.4, 3.1, 5.5, 6.1, 5.6, 6.0,
    6.2, 5.7, 5.7, 6.0, 6.6, 7.2, 6.9, 6.1, 5.0, 4.1, 3.1, 2.4,
)  # fmt: skip


@pytest.fixture(scope="module")
def trips() -> pa.Table:
    return pa.concat_tables(SimulatedCity(11, trips_per_day=15_000).parts(DAYS))


def test_durations_are_spread_like_real_ones(trips: pa.Table) -> None:
    found = np.array(figures.quantiles(trips, "trip_seconds", SHARES)) / 60
    assert found == pytest.approx(MINUTES, rel=0.1)


def test_distances_are_spread_like_real_ones(trips: pa.Table) -> None:
    assert figures.quantiles(trips, "trip_miles", SHARES) == pytest.approx(MILES, rel=0.2)


@pytest.mark.parametrize("kind", DIRT)
def test_each_kind_of_dirt_has_its_real_share(trips: pa.Table, kind: str) -> None:
    assert figures.dirt(trips)[kind] == pytest.approx(DIRT[kind], rel=0.25)


def test_the_busiest_pairs_are_the_real_ones_and_take_as_long(trips: pa.Table) -> None:
    rows = {(row["pickup"], row["dropoff"]): row for row in figures.pairs(trips).to_pylist()}
    assert set(list(rows)[:9]) == set(list(PAIRS)[:9])
    for pair, (share, minutes) in PAIRS.items():
        assert rows[pair]["share"] == pytest.approx(share, rel=0.25), pair
        assert rows[pair]["minutes"] == pytest.approx(minutes, rel=0.12), pair


def test_the_day_has_its_real_hours(trips: pa.Table) -> None:
    found = 100 * np.array(figures.hours(trips))
    assert abs(found - HOURS).max() < 1
    assert abs(found - HOURS).sum() / 2 < 5


def test_the_real_sample_still_has_these_figures(shared_data: object) -> None:
    week = pq.read_table(f"{shared_data}/2019_jan01_11_raw15min.parquet")
    week = week.filter(pc.field("trip_start_timestamp") >= pa.scalar(DAYS.start))
    found = np.array(figures.quantiles(week, "trip_seconds", SHARES)) / 60
    assert found == pytest.approx(MINUTES, abs=0.06)
    real = figures.dirt(week)
    assert {kind: DIRT[kind] for kind in real} == pytest.approx(real, rel=0.02)
    assert 100 * np.array(figures.hours(week)) == pytest.approx(HOURS, abs=0.06)
    rows = {(row["pickup"], row["dropoff"]): row for row in figures.pairs(week).to_pylist()}
    for pair, (share, minutes) in PAIRS.items():
        assert rows[pair]["share"] == pytest.approx(share, abs=0.0006)
        assert rows[pair]["minutes"] == pytest.approx(minutes, abs=0.2)
