"""Plots of predictions and models, drawn without a screen and without matplotlib's global state."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from taxi_duration.model.features import Floats

_SIZE = (7.0, 4.5)


def residuals(minutes: Floats, predicted: Floats) -> Figure:
    """How many trips took longer (right) or shorter (left) than predicted, by minutes."""
    figure, axes = _figure()
    late = minutes - predicted
    axes.hist(np.clip(late, -30, 30), bins=list(range(-30, 31)), color="#3465a4")
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(xlabel="real minus predicted duration, minutes", ylabel="trips")
    axes.set_title(f"Residuals: median {np.median(late):.1f}, 80% within {_spread(late)}")
    return figure


def predicted_against_real(minutes: Floats, predicted: Floats) -> Figure:
    """Where predictions lie for each real duration, as a density of trips."""
    figure, axes = _figure()
    longest = float(max(minutes.max(), predicted.max()))
    bins = axes.hexbin(minutes, predicted, gridsize=50, bins="log", mincnt=1, cmap="viridis")
    axes.plot([0, longest], [0, longest], color="black", linewidth=0.8)
    figure.colorbar(bins, label="trips")
    axes.set(xlabel="real duration, minutes", ylabel="predicted duration, minutes")
    axes.set_title("Predicted against real")
    return figure


def importance(shares: Mapping[str, float]) -> Figure:
    """The share of each feature in the gain of all splits, greatest first."""
    figure, axes = _figure()
    names = sorted(shares, key=lambda name: shares[name])
    axes.barh(names, [shares[name] for name in names], color="#3465a4")
    axes.set(xlabel="share of the gain")
    axes.set_title("Importance of the features")
    return figure


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    return figure, figure.subplots()


def _spread(late: Floats) -> str:
    low, high = np.quantile(late, [0.1, 0.9])
    return f"{low:.1f} to {high:.1f} minutes"
