from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from fake_city import FakeCity, trip
from taxi_duration.trips.schema import TRIP_SCHEMA, conform


@pytest.fixture
def fake_city() -> Iterator[FakeCity]:
    """A server without trips."""
    city = FakeCity()
    yield city
    city.close()


@pytest.fixture(scope="session")
def april() -> list[dict[str, Any]]:
    """Sixty trips a day of April 2022, from the last day to the first."""
    first = datetime(2022, 4, 1)
    return [trip(n, first + timedelta(minutes=24 * n)) for n in reversed(range(30 * 60))]


@pytest.fixture
def raw_april(april: list[dict[str, Any]]) -> pa.Table:
    """The same in TRIP_SCHEMA."""
    columns = {name: [row.get(name) for row in april] for name in TRIP_SCHEMA.names}
    return conform(pa.table({name: pa.array(v, pa.string()) for name, v in columns.items()}))
