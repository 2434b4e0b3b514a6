import numpy as np
import pytest

from taxi_duration.model.metrics import (
    answer_metrics,
    interval_metrics,
    late_share,
    pinball_loss,
    point_metrics,
)


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


def test_the_median_makes_the_pinball_loss_of_one_half_smallest() -> None:
    minutes = np.array([10.0, 20.0, 90.0])
    losses = [pinball_loss(minutes, np.full(3, guess), 0.5) for guess in (10.0, 20.0, 40.0)]
    assert losses[1] == min(losses) == pytest.approx((10 + 0 + 70) / 2 / 3)


def test_too_high_costs_a_low_quantile_more_than_too_low() -> None:
    minutes, low = np.array([10.0]), 0.1
    assert pinball_loss(minutes, np.array([15.0]), low) == pytest.approx(4.5)
    assert pinball_loss(minutes, np.array([5.0]), low) == pytest.approx(0.5)


def test_who_comes_five_minutes_later_is_late() -> None:
    late = late_share(np.array([15.0, 14.9, 5.0, 30.0]), np.full(4, 10.0))
    assert late == 0.5


def test_all_figures_of_an_answer_come_together() -> None:
    minutes = np.array([10.0, 20.0])
    answers = np.array([[8.0, 10.0, 12.0], [8.0, 10.0, 12.0]])
    figures = answer_metrics(minutes, answers, {"lower": 0.1, "prediction": 0.5, "upper": 0.9})
    assert (figures["mae"], figures["coverage_80"], figures["interval_width"]) == (5, 0.5, 4)
    assert figures["late_5"] == 0.5
    assert figures["pinball"] == pytest.approx(np.mean([(0.2 + 1.2) / 2, 2.5, (0.2 + 7.2) / 2]))
