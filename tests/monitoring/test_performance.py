import pyarrow as pa
import pytest

from monitored import scored_trips, with_column
from taxi_duration.monitoring.performance import performance


def trips(**columns: list[float]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.float64()) for name, values in columns.items()})


def test_the_figures_of_three_trips_worked_out_by_hand() -> None:
    found = performance(
        trips(
            trip_seconds=[600, 1200, 1800],
            lower=[8, 10, 25],
            prediction=[12, 16, 36],
            upper=[15, 19, 40],
        )
    )
    assert found.trips == 3
    assert found.mae == pytest.approx(4)
    assert found.rmse == pytest.approx(((4 + 16 + 36) / 3) ** 0.5)
    assert found.mape == pytest.approx((0.2 + 0.2 + 0.2) / 3)
    assert found.median_error == pytest.approx(4)
    assert found.bias == pytest.approx((2 - 4 + 6) / 3)
    assert found.within_5 == pytest.approx(2 / 3)
    assert found.coverage_80 == pytest.approx(2 / 3)
    assert found.interval_width == pytest.approx((7 + 9 + 15) / 3)


def test_without_intervals_there_is_no_coverage() -> None:
    found = scored_trips(100)
    for name in ("lower", "upper"):
        found = with_column(found, name, pa.nulls(100, pa.float64()))
    assert performance(found).coverage_80 is None
    assert performance(found).interval_width is None
    assert performance(found).mae > 0
