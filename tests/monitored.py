"""For the tests of monitoring: made up trips and figures, a database and a bucket of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
import pyarrow as pa
from pydantic import SecretStr
from sqlalchemy import NullPool, create_engine, make_url, text

from taxi_duration.monitoring.columns import compared
from taxi_duration.monitoring.figures import ColumnDrift, Figures
from taxi_duration.monitoring.performance import performance
from taxi_duration.monitoring.quality import data_quality
from taxi_duration.monitoring.segments import segment_performance
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.months import Month


def scored_trips(rows: int = 2_000, *, month: str = "2019-03", seed: int = 0) -> pa.Table:
    """Trips spread over a month, 8% without a dropoff area, each with an interval of ±5 minutes."""
    chance = np.random.default_rng(seed)
    first = Month.parse(month)
    minutes = np.clip(chance.lognormal(2.5, 0.6, rows), 1, 60)
    prediction = np.clip(minutes + chance.normal(0, 4, rows), 1, 60)
    pickup, dropoff = chance.choice(np.arange(1, 78), (2, rows), p=_popularity())
    outside = chance.random(rows) < 0.08
    quarters = chance.integers(0, (first.end - first.start).days * 96, rows)
    start = np.sort(np.datetime64(first.start, "us") + quarters * np.timedelta64(15, "m"))
    return pa.table(
        {
            "trip_start_timestamp": pa.array(start, pa.timestamp("us")),
            "pickup_community_area": pa.array(pickup, pa.int16()),
            "dropoff_community_area": pa.array(dropoff, pa.int16(), mask=outside),
            "trip_miles": minutes * chance.uniform(0.1, 0.4, rows),
            "trip_seconds": minutes * 60,
            "lower": prediction - 5,
            "prediction": prediction,
            "upper": prediction + 5,
        }
    )


def with_column(trips: pa.Table, name: str, values: Any) -> pa.Table:
    """The trips with another column in the place of the one of that name."""
    return trips.set_column(trips.column_names.index(name), name, values)


def figures(**changes: Any) -> Figures:
    """The figures of a small report of March 2019 in which the target drifted."""
    reference, current = scored_trips(200, month="2019-02"), scored_trips(300)
    made = Figures(
        month="2019-03",
        source="simulated",
        model_version="3",
        reference_months=["2019-01", "2019-02"],
        lake_version=7,
        seed=42,
        made_at=datetime(2019, 5, 1, 12, tzinfo=UTC),
        threshold=0.5,
        sampled_trips={"reference": 200, "current": 300},
        drift=[_drift("trip_minutes", 0.3), _drift("hour", 0.02), _drift("trip_miles", 0.01)],
        quality={
            "reference": data_quality(compared(reference)),
            "current": data_quality(compared(current)),
        },
        performance={"reference": performance(reference), "current": performance(current)},
        segments=segment_performance(current),
    )
    return msgspec.structs.replace(made, **changes)


@contextmanager
def with_own_database(settings: Settings) -> Iterator[Settings]:
    """The settings with a new, empty database, which goes at the end."""
    assert settings.database_url
    url = make_url(settings.database_url.get_secret_value())
    name = f"monitoring_{uuid4().hex}"
    own = url.set(database=name).render_as_string(hide_password=False)
    server = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield settings.model_copy(update={"database_url": SecretStr(own)})
    # Another connection: a test may have started the server anew.
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def with_own_bucket(settings: Settings) -> Settings:
    """The settings with a new, empty bucket."""
    settings = settings.model_copy(update={"s3_bucket": f"monitoring-{uuid4().hex}"})
    Storage.from_settings(settings).client.create_bucket(Bucket=settings.s3_bucket)
    return settings


def _drift(name: str, score: float) -> ColumnDrift:
    return ColumnDrift(
        column_name=name, method="wasserstein", score=score, threshold=0.1, drifted=score >= 0.1
    )


def _popularity() -> Any:
    weights = 1 / np.arange(1, 78)
    return weights / weights.sum()
