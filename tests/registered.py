"""For the tests of the registry: versions of small models, registered without a pipeline's run."""

from pathlib import Path
from uuid import uuid4

from taxi_duration.contract import ModelVersion
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.registry.champion import ALIAS
from taxi_duration.registry.client import client
from taxi_duration.registry.package import log_model
from taxi_duration.registry.runs import Runs
from taxi_duration.registry.versions import Challenger, register
from taxi_duration.settings import Settings
from training_parts import damage
from trips_factory import small_model


def own_model(settings: Settings) -> Settings:
    """The settings with a registered model of its own, which has no version yet."""
    name = f"model-{uuid4().hex}"
    return settings.model_copy(update={"model_name": name, "mlflow_experiment": name})


def logged(
    settings: Settings, model: DurationModel | None = None, source: str = "simulated"
) -> Challenger:
    """A logged model with a run of its own and made up figures."""
    runs = Runs.connect(settings)
    run_id = runs.start("lightgbm", {})
    model_id = log_model(runs, run_id, "lightgbm", model or small_model())
    metrics = {"mae": 3.6, "coverage_80": 0.8}
    return Challenger(model_id, run_id, source, ["2019-01", "2019-02"], metrics, 3.7)


def registered(settings: Settings, source: str = "simulated") -> ModelVersion:
    """A new version."""
    return register(settings, logged(settings, source=source))


def damaged(settings: Settings, folder: Path) -> ModelVersion:
    """A new version, one of whose files is not the one that was saved; `folder` is for that one."""
    torn = logged(settings)
    version = register(settings, torn)
    damage(client(settings), torn.model_id, folder)
    return version


def serve(settings: Settings, version: str) -> None:
    """Move the alias as somebody does in MLflow's own pages."""
    client(settings).set_registered_model_alias(settings.model_name, ALIAS, version)
