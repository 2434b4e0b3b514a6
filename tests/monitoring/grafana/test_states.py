"""What panels say of a state of the database: what counts for them, and that drills do not."""

from collections.abc import Iterator

import pytest

from grafana_states import State, ago, annotations
from monitored import with_own_database
from taxi_duration.monitoring import tables
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.settings import Settings

pytestmark = pytest.mark.stack


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
        yield State(connection)
        connection.rollback()


def test_a_drill_s_model_serves_nobody_and_is_in_no_history(state: State) -> None:
    common = {"alias": "champion", "changed_at": ago(days=1)}
    state.add(tables.model_history, model="taxi-duration", to_version="7", **common)
    state.add(tables.model_history, model="taxi-duration-drill", to_version="1", **common)
    state.add(tables.model_history, model="taxi-duration-drill", from_version="1", **common)
    assert state.shown("Model", "Serving") == "version 7"
    [history] = state.panel("Model", "Who served")
    assert [row["after"] for row in history] == ["7"]
    [mark] = state.rows(annotations("Model"))
    assert "version 7 serves" in mark["text"]
