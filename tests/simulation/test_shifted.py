from datetime import date, datetime
from math import isnan

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from taxi_duration.areas import AIRPORTS
from taxi_duration.errors import TripSchemaError
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.server import serving
from taxi_duration.simulation.shifted import SHIFTS, Kind, ShiftedTrips, shifted_city
from taxi_duration.simulation.source import Window
from taxi_duration.trips.city_api import CityApi
from taxi_duration.trips.months import Month

CITY = SimulatedCity(7, 300, today=lambda: date(2026, 1, 1))
SINCE = datetime(2019, 4, 1)
BEFORE, AFTER = Window(datetime(2019, 3, 31), SINCE), Window(SINCE, datetime(2019, 4, 2))


def trips(kind: Kind, window: Window) -> tuple[pa.Table, pa.Table]:
    """The base's trips of a window, and what a drill of that kind makes of them."""
    shifted = ShiftedTrips(CITY, SHIFTS[kind], SINCE)
    return pa.concat_tables(CITY.parts(window)), pa.concat_tables(shifted.parts(window))


@pytest.mark.parametrize("kind", SHIFTS)
def test_before_the_change_only_the_ids_are_others(kind: Kind) -> None:
    base, shifted = trips(kind, BEFORE)
    assert shifted.drop_columns("trip_id") == base.drop_columns("trip_id")
    assert not set(shifted["trip_id"].to_pylist()) & set(base["trip_id"].to_pylist())
    assert pc.all(pc.starts_with(shifted["trip_id"], "drill-")).as_py()


def test_a_change_of_pace_makes_every_ride_a_third_longer() -> None:
    base, shifted = trips("pace", AFTER)
    longer = pc.divide(shifted["trip_seconds"], base["trip_seconds"]).drop_null()
    assert {round(value, 6) for value in longer.to_pylist() if not isnan(value)} == {1.3}
    assert pc.all(
        pc.greater_equal(shifted["trip_end_timestamp"], base["trip_end_timestamp"])
    ).as_py()
    assert shifted.schema == base.schema


def test_a_change_of_demand_leaves_the_airports_their_rides() -> None:
    base, shifted = trips("demand", AFTER)

    def at_airports(rows: pa.Table) -> int:
        ends = [
            pc.fill_null(pc.is_in(rows[name], value_set=pa.array(AIRPORTS, pa.float64())), False)
            for name in ("pickup_community_area", "dropoff_community_area")
        ]
        return int(pc.sum(pc.or_(*ends)).as_py())

    assert at_airports(shifted) == at_airports(base) > 0
    assert shifted.num_rows < base.num_rows / 2


def test_missing_areas_leave_half_the_trips_without_a_place() -> None:
    base, shifted = trips("missing", AFTER)
    known = base["pickup_community_area"].null_count / base.num_rows
    assert shifted["pickup_community_area"].null_count / shifted.num_rows == pytest.approx(
        0.5 + known / 2, abs=0.05
    )
    assert shifted["trip_seconds"] == base["trip_seconds"]


def test_a_renamed_column_is_renamed_in_the_shifted_months_alone() -> None:
    with serving(shifted_city(CITY, "schema", SINCE)) as url:
        api = CityApi(url, attempts=1)
        loaded = api.load_month(Month(2019, 3), 300)
        assert (loaded.source, loaded.trips.num_rows) == ("drill", 300)
        with pytest.raises(TripSchemaError, match="no column trip_seconds"):
            api.load_month(Month(2019, 4), 300)
