"""The reports in MLflow, whose UI shows them in a browser."""

from pathlib import Path

import msgspec

from taxi_duration.monitoring.figures import Figures
from taxi_duration.monitoring.live import LiveFigures
from taxi_duration.monitoring.reports import CONTENT_TYPES, HTML
from taxi_duration.registry.client import registry_errors
from taxi_duration.registry.runs import Runs
from taxi_duration.settings import Settings


def log_report(settings: Settings, figures: Figures, folder: Path) -> str:
    """Log the two files of the folder and the figures as a run of `<experiment>-drift`.

    Returns the address of the page in the MLflow UI. A run that could not be logged whole is marked
    as failed there. Raises RegistryError.
    """
    name = f"drift {figures.month}"
    return _log(settings, "drift", name, (_tags(figures), _metrics(figures)), folder)


def log_live(settings: Settings, figures: LiveFigures, folder: Path) -> str:
    """The same for a window, as a run of `<experiment>-live`."""
    tags = {"window": figures.window.name, "model_version": figures.model_version or ""}
    metrics = {f"drift_{column.column_name}": column.score for column in figures.drift}
    return _log(settings, "live", f"live {figures.window.name}", (tags, metrics), folder)


def _log(
    settings: Settings,
    kind: str,
    name: str,
    told: tuple[dict[str, str], dict[str, float]],
    folder: Path,
) -> str:
    experiment = f"{settings.mlflow_experiment}-{kind}"
    tags, metrics = told
    with registry_errors(settings):
        runs = Runs.connect(settings.model_copy(update={"mlflow_experiment": experiment}))
        run_id = runs.start(name, tags)
        with runs.ending(run_id):
            runs.record(run_id, metrics=metrics)
            for file in CONTENT_TYPES:
                runs.client.log_artifact(run_id, str(folder / file))
    place = f"experiments/{runs.experiment_id}/runs/{run_id}/artifacts/{HTML}"
    return f"{settings.mlflow_pages}/#/{place}"


def _tags(figures: Figures) -> dict[str, str]:
    return {
        "month": figures.month,
        "source": figures.source,
        "model_version": figures.model_version,
        "reference_months": ", ".join(figures.reference_months),
        "drifted": str(figures.drifted).lower(),
    }


def _metrics(figures: Figures) -> dict[str, float]:
    drift = {f"drift_{column.column_name}": column.score for column in figures.drift}
    errors = {
        f"{dataset}_{name}": value
        for dataset, performance in figures.performance.items()
        for name, value in msgspec.structs.asdict(performance).items()
        if value is not None
    }
    return {"drifted_share": figures.drifted_share, **drift, **errors}
