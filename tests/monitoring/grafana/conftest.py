"""A database for states that tests make of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from grafana_states import State
from monitored import with_own_database
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.settings import Settings


@pytest.fixture(scope="module")
def database(backends: Settings) -> Iterator[Settings]:
    """A database with all tables and no rows."""
    with with_own_database(backends) as settings:
        upgrade(settings)
        yield settings


@pytest.fixture
def state(database: Settings) -> Iterator[State]:
    """A state that a test makes; nothing of it stays."""
    with connect(database) as connection:
        yield State(connection, datetime.now(UTC))
        connection.rollback()
