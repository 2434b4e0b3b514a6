"""For the tests of the training branch: a lake of made up trips, and its first steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from mlflow import MlflowClient

from taxi_duration.model.dataset import Sample
from taxi_duration.model.duration_model import MODEL_FOLDER, DurationModel
from taxi_duration.model.training import PARAMETERS, fit
from taxi_duration.pipeline.gate import gate, register_model
from taxi_duration.pipeline.training import build_features, evaluate_models, train_models
from taxi_duration.pipeline.training_tables import CALIBRATION, TRAIN, read_parts
from taxi_duration.registry.candidates import SERVABLE
from taxi_duration.registry.package import log_model
from taxi_duration.registry.runs import Runs
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.clean import QUARANTINE_SCHEMA, CleanMonth
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from trips_factory import make_trips, model_info

HISTORY = ["2019-01", "2019-02"]
MONTH = "2019-03"


def own_place(backends: Settings) -> Settings:
    """The settings with a bucket, an experiment and a registered model of their own."""
    names = ("s3_bucket", "model_name", "mlflow_experiment")
    own = backends.model_copy(update={name: f"training-{uuid4().hex}" for name in names})
    Storage.from_settings(own).client.create_bucket(Bucket=own.s3_bucket)
    return own


def fill(settings: Settings, source: str, pace: float = 1.0, seed: int = 0) -> dict[str, Any]:
    """Trips in a source's lake, and what `clean_trips` hands on about them."""
    lake = Lake(Storage.from_settings(settings), source)
    months = {
        name: make_trips(name, count=2_000, pace=pace, seed=seed) for name in (*HISTORY, MONTH)
    }
    for name, trips in months.items():
        quarantine = QUARANTINE_SCHEMA.empty_table()
        lake.replace_month(Month.parse(name), CleanMonth(Month.parse(name), trips, quarantine, {}))
    return {
        "source": source,
        "month": MONTH,
        "history": HISTORY,
        "seed": 42,
        "replace_source": False,
        "champion": "",
        "trips": {name: trips.num_rows for name, trips in months.items()},
        "lake": {"uri": lake.uri, "version": lake.version()},
    }


def train(settings: Settings, cleaned: dict[str, Any]) -> dict[str, Any]:
    """All before the gate."""
    return evaluate_models(settings, train_models(settings, build_features(settings, cleaned)))


def finish(settings: Settings, evaluated: dict[str, Any]) -> dict[str, Any]:
    """The gate and the registration."""
    return register_model(settings, gate(settings, evaluated))


def candidate_of(
    settings: Settings, evaluated: dict[str, Any], model: DurationModel
) -> dict[str, Any]:
    """What `evaluate_models` handed on, as if the run had trained this model."""
    runs = Runs.connect(settings)
    parent = runs.start("2019-03 made up", {})
    run_id = runs.start(SERVABLE, {}, parent)
    model_id = log_model(runs, run_id, SERVABLE, model)
    candidates = {**evaluated["candidates"], SERVABLE: run_id}
    return {**evaluated, "run_id": parent, "model_id": model_id, "candidates": candidates}


def fitted(
    settings: Settings,
    evaluated: dict[str, Any],
    change: Callable[[Sample], Sample] = lambda trips: trips,
    rounds: int = 60,
) -> DurationModel:
    """A model of the run's own trips, as they are or changed."""
    parts = read_parts(settings, evaluated)
    train, calibration = (change(parts[name]) for name in (TRAIN, CALIBRATION))
    parameters = {**PARAMETERS, "rounds": rounds, "min_data_in_leaf": 20}
    return fit(train, calibration, model_info(parameters=parameters))


def damage(mlflow: MlflowClient, model_id: str, folder: Path) -> None:
    """Replace a file of a logged model by another text."""
    file = folder / "prediction.txt"
    file.write_text("tree\n")
    mlflow.log_model_artifact(model_id, str(file), f"artifacts/{MODEL_FOLDER}")
