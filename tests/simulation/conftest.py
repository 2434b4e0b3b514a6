"""A small simulated city, the same in every test."""

from datetime import date

import pytest
from flask.testing import FlaskClient

from taxi_duration.simulation.app import create_app
from taxi_duration.simulation.city import SimulatedCity

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="session")
def city() -> SimulatedCity:
    """300 trips a day; seen on a fixed day, so that it ends at a fixed one."""
    return SimulatedCity(seed=7, trips_per_day=300, today=lambda: TODAY)


@pytest.fixture(scope="session")
def client(city: SimulatedCity) -> FlaskClient:
    """A client of the stand-in without a network."""
    return create_app(city).test_client()
