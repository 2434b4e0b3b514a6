"""What a person reads about a version in the MLflow UI."""

from collections.abc import Mapping

from taxi_duration.model.duration_model import ModelInfo
from taxi_duration.registry.candidates import SERVABLE

_HEADER = """\
| predictor | MAE min | RMSE min | MAPE | median error min | within 5 min |
| --- | --- | --- | --- | --- | --- |"""


def describe(
    info: ModelInfo,
    tested_on: str,
    test_trips: int,
    metrics: Mapping[str, Mapping[str, float]],
) -> str:
    """Markdown: what the model was trained and tested on, and a table of all predictors."""
    rows = sorted(metrics.items(), key=lambda item: item[1]["mae"])
    interval = metrics[SERVABLE]
    trips = info.train_trips + info.calibration_trips
    table = "\n".join([_HEADER, *(_row(name, figures) for name, figures in rows)])
    return f"""\
- Trained on {trips:,} trips of {", ".join(info.months)}; the interval
  was calibrated on days left out in turn, at last the latest {info.calibration_trips:,} trips.
- Tested on {test_trips:,} later trips, of {tested_on}.
- Source of all trips: {info.source}, version {info.lake_version} of {info.lake_uri}.

{table}

The interval held {interval["coverage_80"]:.1%} of the tested trips (meant to be 80%) and is
{interval["interval_width"]:.1f} minutes wide on average.
"""


def _row(name: str, figures: Mapping[str, float]) -> str:
    return (
        f"| {name} | {figures['mae']:.3f} | {figures['rmse']:.3f} | {figures['mape']:.1%}"
        f" | {figures['median_error']:.3f} | {figures['within_5']:.1%} |"
    )
