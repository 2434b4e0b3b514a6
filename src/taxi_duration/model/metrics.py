"""How good predictions are. All figures are in minutes, shares between 0 and 1."""

from collections.abc import Mapping

import numpy as np

from taxi_duration.model.features import Floats

# A passenger who is told 20 minutes forgives 25.
CLOSE_MINUTES = 5.0


def point_metrics(minutes: Floats, predicted: Floats) -> dict[str, float]:
    """MAE, RMSE, MAPE, median absolute error, and the share within 5 minutes, of n trips."""
    errors = np.abs(predicted - minutes)
    return {
        "mae": float(errors.mean()),
        "rmse": float(np.sqrt((errors**2).mean())),
        "mape": float((errors / minutes).mean()),
        "median_error": float(np.median(errors)),
        "within_5": float((errors <= CLOSE_MINUTES).mean()),
    }


def interval_metrics(minutes: Floats, lower: Floats, upper: Floats) -> dict[str, float]:
    """Share of n trips whose duration the interval held, and its mean width."""
    held = (lower <= minutes) & (minutes <= upper)
    return {
        "coverage_80": float(held.mean()),
        "interval_width": float((upper - lower).mean()),
    }


def answer_metrics(
    minutes: Floats, answers: Floats, quantiles: Mapping[str, float]
) -> dict[str, float]:
    """All figures of n answers (lower, prediction, upper), of shape (n, 3).

    Besides those above: the pinball loss, a mean over the three `quantiles`, and the share that
    arrives 5 or more minutes later than predicted.
    """
    lower, predicted, upper = answers.T
    losses = [
        pinball_loss(minutes, column, quantile)
        for column, quantile in zip(answers.T, quantiles.values(), strict=True)
    ]
    return {
        **point_metrics(minutes, predicted),
        **interval_metrics(minutes, lower, upper),
        "late_5": late_share(minutes, predicted),
        "pinball": float(np.mean(losses)),
    }


def pinball_loss(minutes: Floats, predicted: Floats, quantile: float) -> float:
    """The mean loss in minutes that the true quantile makes smallest (Koenker, Bassett, 1978)."""
    late = minutes - predicted
    return float(np.maximum(quantile * late, (quantile - 1) * late).mean())


def late_share(minutes: Floats, predicted: Floats) -> float:
    """The share that arrives 5 or more minutes later than predicted."""
    return float((minutes - predicted >= CLOSE_MINUTES).mean())
