from datetime import date, datetime
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from taxi_duration.areas import AREAS
from taxi_duration.simulation import figures
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.columns import TRIPS
from taxi_duration.simulation.source import EVER, Window
from taxi_duration.trips.schema import TRIP_SCHEMA

WEEK = Window(datetime(2019, 6, 3), datetime(2019, 6, 10))


def trips_of(city: SimulatedCity, window: Window) -> pa.Table:
    return pa.concat_tables(city.parts(window))


@pytest.fixture(scope="module")
def week() -> pa.Table:
    return trips_of(SimulatedCity(3, trips_per_day=4_000), WEEK)


def test_the_same_seed_makes_the_same_trips_whenever_and_in_whatever_order_they_are_asked() -> None:
    one, other = (SimulatedCity(1, trips_per_day=100) for _ in range(2))
    late, early = date(2022, 8, 9), date(2014, 2, 28)
    first = one.day(late), one.day(early)
    assert (other.day(early), other.day(late)) == first[::-1]


def test_another_seed_makes_other_trips() -> None:
    day = date(2022, 8, 9)
    one, other = (SimulatedCity(seed, trips_per_day=100).day(day) for seed in (1, 2))
    assert not set(one["trip_id"].to_pylist()) & set(other["trip_id"].to_pylist())
    assert not set(one["taxi_id"].to_pylist()) & set(other["taxi_id"].to_pylist())


def test_a_window_holds_the_trips_that_start_in_it_and_no_others(city: SimulatedCity) -> None:
    noon, evening = datetime(2019, 3, 5, 12), datetime(2019, 3, 6, 18)
    found = trips_of(city, Window(noon, evening))
    whole = trips_of(city, Window(datetime(2019, 3, 5), datetime(2019, 3, 7)))
    starts = whole["trip_start_timestamp"].to_pylist()
    assert found.num_rows == sum(noon <= start < evening for start in starts)
    assert found["trip_start_timestamp"].to_pylist() == sorted(
        found["trip_start_timestamp"].to_pylist()
    )


def test_trips_end_with_the_month_before_last() -> None:
    for today, end in (
        (date(2026, 11, 22), datetime(2026, 10, 1)),
        (date(2026, 1, 1), datetime(2025, 12, 1)),
        (date(2026, 3, 31), datetime(2026, 2, 1)),
    ):
        city = SimulatedCity(1, trips_per_day=50, today=lambda day=today: day)  # type: ignore[misc]
        assert city.published.end == end
        newest = next(city.parts(EVER, newest_first=True))
        assert max(newest["trip_start_timestamp"].to_pylist()).month == (end.month - 2) % 12 + 1


def test_there_are_no_trips_before_the_first_or_after_the_last(city: SimulatedCity) -> None:
    before = Window(datetime(2012, 1, 1), datetime(2012, 12, 31))
    after = Window(datetime(2026, 10, 1), datetime(2026, 11, 1))
    assert not list(chain(city.parts(before), city.parts(after)))


def test_the_columns_are_those_that_the_project_reads() -> None:
    assert set(TRIPS.names) - {":id"} == set(TRIP_SCHEMA.names)


def test_ids_are_unique_and_in_no_order(week: pa.Table) -> None:
    for column in ("trip_id", ":id"):
        ids = week[column].to_pylist()
        assert len(set(ids)) == len(ids)
        assert ids != sorted(ids)
    assert pc.all(pc.match_substring_regex(week["trip_id"], "^[0-9a-f]{40}$")).as_py()
    assert pc.all(pc.match_substring_regex(week["taxi_id"], "^[0-9a-f]{128}$")).as_py()


def test_start_and_end_are_rounded_to_15_minutes(week: pa.Table) -> None:
    start, end = (week[f"trip_{name}_timestamp"].to_numpy() for name in ("start", "end"))
    quarter = np.timedelta64(15, "m")
    assert ((start - start.astype("datetime64[D]")) % quarter == np.timedelta64(0)).all()
    assert ((end - start) % quarter == np.timedelta64(0)).all()
    seconds = week["trip_seconds"].to_numpy()
    between = (end - start) / np.timedelta64(1, "s")
    assert (abs(between - seconds)[~np.isnan(seconds)] <= 900).all()


def test_areas_have_their_own_centroids_or_those_of_a_tract_in_them(week: pa.Table) -> None:
    columns = ["community_area", "census_tract", "centroid_latitude", "centroid_location"]
    rows = week.select([f"pickup_{name}" for name in columns]).slice(0, 5_000).to_pylist()
    for area, tract, latitude, point in (row.values() for row in rows):
        if area is None:
            assert (tract, latitude, point) == (None, None, None)
        elif tract is None:
            assert latitude == AREAS[int(area) - 1].latitude
            assert point == f"POINT ({AREAS[int(area) - 1].longitude} {latitude})"
        else:
            assert abs(latitude - AREAS[int(area) - 1].latitude) < 0.05


def test_tracts_are_shown_at_both_ends_or_at_none(week: pa.Table) -> None:
    assert week["pickup_census_tract"].is_null() == week["dropoff_census_tract"].is_null()


def test_fares_follow_the_citys_rule(week: pa.Table) -> None:
    row = week.filter((pc.field("trip_miles") > 1) & (pc.field("trip_seconds") > 300)).to_pandas()
    rule = 3.25 + 2.03 * row.trip_miles + 0.165 * row.trip_seconds / 60
    assert (row.fare - rule).abs().median() < 0.3
    extra = row.trip_total - row[["fare", "tips", "tolls", "extras"]].sum(axis=1)
    assert set(extra.round(2)) == {0.0, 0.5}


def test_a_few_trips_are_there_twice_under_two_ids() -> None:
    trips = trips_of(SimulatedCity(3, 20_000), Window(datetime(2019, 6, 3), datetime(2019, 6, 4)))
    data = trips.to_pandas().drop(columns=["trip_id", ":id"])
    assert 0.0002 < data.duplicated().mean() < 0.0012


def test_a_company_is_spelled_in_two_ways(week: pa.Table) -> None:
    companies = set(week["company"].to_pylist())
    assert {"Taxicab Insurance Agency, LLC", "Taxicab Insurance Agency Llc"} <= companies


def test_rush_hour_is_slower_than_the_night(week: pa.Table) -> None:
    minutes = figures.minutes_by_hour(week)
    assert minutes[17] > 1.15 * minutes[3]


def test_weekends_and_winter_days_have_their_own_number_of_trips() -> None:
    city = SimulatedCity(3, trips_per_day=2_000)
    thursday, sunday = city.day(date(2019, 6, 6)), city.day(date(2019, 6, 9))
    assert 1.6 < thursday.num_rows / sunday.num_rows < 2.2


def test_an_average_day_has_as_many_trips_as_asked_for() -> None:
    city = SimulatedCity(3, trips_per_day=200)
    year = trips_of(city, Window(datetime(2018, 1, 1), datetime(2019, 1, 1)))
    assert year.num_rows / 365 == pytest.approx(200, rel=0.03)
