"""A database and a bucket of their own for the tests of monitoring."""

from collections.abc import Iterator

import pytest

from monitored import with_own_bucket, with_own_database
from taxi_duration.monitoring.database import upgrade
from taxi_duration.settings import Settings


@pytest.fixture
def empty_database(backends: Settings) -> Iterator[Settings]:
    """Settings of a database without any schema."""
    with with_own_database(backends) as settings:
        yield settings


@pytest.fixture
def database(empty_database: Settings) -> Settings:
    """Settings of a database with the schema `monitoring`."""
    upgrade(empty_database)
    return empty_database


@pytest.fixture
def bucket(backends: Settings) -> Settings:
    """Settings of an empty bucket."""
    return with_own_bucket(backends)
