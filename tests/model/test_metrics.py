import numpy as np
import pytest

from taxi_duration.model.metrics import interval_metrics, point_metrics


def test_the_metrics_of_three_trips() -> None:
    metrics = point_metrics(np.array([10.0, 20.0, 40.0]), np.array([11.0, 15.0, 50.0]))
    assert metrics == pytest.approx(
        {
            "mae": 16 / 3,
            "rmse": 42**0.5,
            "mape": (0.1 + 0.25 + 0.25) / 3,
            "median_error": 5,
            "within_5": 2 / 3,
        }
    )


def test_the_ends_of_an_interval_belong_to_it() -> None:
    minutes = np.array([10.0, 20.0, 30.0, 40.0])
    metrics = interval_metrics(minutes, np.array([10.0, 15, 31, 10]), np.array([12.0, 20, 33, 39]))
    assert metrics == {"coverage_80": 0.5, "interval_width": pytest.approx((2 + 5 + 2 + 29) / 4)}
