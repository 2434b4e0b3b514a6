import numpy as np
import pyarrow as pa
import pytest

from monitored import scored_trips, with_column
from taxi_duration.monitoring.columns import compared
from taxi_duration.monitoring.quality import data_quality


def test_all_rows_are_counted_and_the_missing_ones_told() -> None:
    trips = scored_trips(4_000)
    found = {column.column_name: column for column in data_quality(compared(trips))}
    assert {column.trips for column in found.values()} == {4_000}
    dropoff = found["dropoff_community_area"]
    assert dropoff.missing == trips["dropoff_community_area"].null_count > 0
    assert dropoff.missing_share == dropoff.missing / 4_000
    assert found["hour"].missing == 0
    assert found["hour"].distinct_values == 24


def test_numbers_have_their_mean_and_quantiles() -> None:
    trips = scored_trips(4_000)
    minutes = trips["trip_seconds"].to_numpy() / 60
    found = {column.column_name: column for column in data_quality(compared(trips))}
    column = found["trip_minutes"]
    assert column.mean == pytest.approx(minutes.mean())
    assert column.std == pytest.approx(minutes.std())
    got = [column.p05, column.p25, column.p50, column.p75, column.p95]
    assert got == pytest.approx(np.quantile(minutes, [0.05, 0.25, 0.5, 0.75, 0.95]))


def test_a_category_has_no_mean() -> None:
    found = {column.column_name: column for column in data_quality(compared(scored_trips(50)))}
    assert found["pickup_community_area"].mean is None
    assert found["weekday"].p50 is None


def test_a_column_without_any_value_is_all_missing() -> None:
    trips = with_column(scored_trips(50), "trip_miles", pa.nulls(50, pa.float64()))
    found = {column.column_name: column for column in data_quality(compared(trips))}
    assert found["trip_miles"].missing_share == 1
    assert found["trip_miles"].mean is None
    assert found["trip_miles"].p50 is None
