"""The client against the project's own stand-in for the City's API."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from taxi_duration.simulation.app import create_app
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.failures import Failure
from taxi_duration.simulation.files import TripFiles
from taxi_duration.simulation.server import serving
from taxi_duration.trips.backoff import Backoff
from taxi_duration.trips.city_api import CityApi, LoadedMonth
from taxi_duration.trips.months import Month

pytestmark = pytest.mark.slow

MONTH = Month(2019, 3)


@pytest.fixture(scope="module")
def load() -> Callable[..., LoadedMonth]:
    """Loads 1,000 trips of the month from a simulated city that fails in the given ways."""
    city = SimulatedCity(1, trips_per_day=200, today=lambda: date(2026, 12, 1))

    def load(*failures: str, token: str | None = None) -> LoadedMonth:
        with serving(create_app(city, [Failure.parse(kind) for kind in failures])) as url:
            api = CityApi(url, token=token, attempts=9, backoff=Backoff(0.01, 0.1))
            return api.load_month(MONTH, 1_000)

    return load


@pytest.fixture(scope="module")
def month(load: Callable[..., LoadedMonth]) -> LoadedMonth:
    """What a server without failures gives."""
    return load()


def test_a_simulated_month_says_that_it_is_simulated(month: LoadedMonth) -> None:
    assert month.source == "simulated"
    assert month.trips.num_rows == 1_000
    assert month.trips["trip_seconds"].null_count < 100


@pytest.mark.parametrize("failure", ["429:3", "500:5", "cut:0.2"])
def test_failures_change_nothing_of_what_is_loaded(
    load: Callable[..., LoadedMonth], month: LoadedMonth, failure: str
) -> None:
    assert load(failure).trips.equals(month.trips)


def test_both_versions_of_soda_load_the_same(
    load: Callable[..., LoadedMonth], month: LoadedMonth
) -> None:
    assert load(token="any").trips.equals(month.trips)


def test_real_trips_from_a_file_arrive_whole(shared_data: Path) -> None:
    files = TripFiles([shared_data / "2022_03_01_full_schema.parquet"])
    with serving(create_app(files)) as url:
        month = CityApi(url).load_month(Month(2022, 3))
    assert month.source == "files"
    assert month.trips.num_rows == 14_636
    assert month.trips["pickup_census_tract"].null_count == 9_881
    assert month.trips["trip_seconds"].null_count == 1
