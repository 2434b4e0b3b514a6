"""How good predictions are. All figures are in minutes, shares between 0 and 1."""

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
