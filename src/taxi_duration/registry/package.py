"""The model as MLflow stores it: its own files, the code that reads them, and what it takes."""

import shutil
import tempfile
import warnings
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pandas as pd
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema

import taxi_duration
from taxi_duration.areas import LOOP, OHARE
from taxi_duration.model.duration_model import MODEL_FOLDER, QUANTILES, DurationModel
from taxi_duration.registry.runs import Runs

with warnings.catch_warnings():
    # It warns of type hints of its own.
    warnings.simplefilter("ignore")
    from mlflow.pyfunc import save_model

_SOURCE: Final = Path(taxi_duration.__file__).parent
# The modules that a stored model needs; they travel with it, so that it is served by the code that
# made its features, whatever happens to that code later.
_CODE: Final = (
    "__init__.py",
    "areas.py",
    "errors.py",
    "model/__init__.py",
    "model/bitvectors.py",
    "model/duration_model.py",
    "model/features.py",
    "model/groups.py",
)
_REQUIREMENTS: Final = ("lightgbm", "msgspec", "numpy", "pandas")

SIGNATURE: Final = ModelSignature(
    inputs=Schema(
        [
            ColSpec(DataType.double, "pickup_community_area", required=False),
            ColSpec(DataType.double, "dropoff_community_area", required=False),
            ColSpec(DataType.datetime, "trip_start_timestamp"),
        ]
    ),
    outputs=Schema([ColSpec(DataType.double, name) for name in QUANTILES]),
)


def log_model(runs: Runs, run_id: str, name: str, model: DurationModel) -> str:
    """Store the model as a logged model of the run; returns the logged model's id."""
    logged = runs.client.create_logged_model(
        runs.experiment_id,
        name=name,
        source_run_id=run_id,
        tags={"source": model.info.source},
        params={key: str(value) for key, value in model.info.parameters.items()},
        model_type="regressor",
    )
    with tempfile.TemporaryDirectory() as temporary:
        package = Path(temporary) / "package"
        save_package(model, package, Model(model_id=logged.model_id, run_id=run_id))
        runs.client.log_model_artifacts(logged.model_id, str(package))
    runs.client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    runs.client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return str(logged.model_id)


def save_package(model: DurationModel, folder: Path, described: Model) -> None:
    """Write what MLflow needs to serve the model into `folder`; `described` names its ids."""
    with tempfile.TemporaryDirectory() as temporary:
        files, code = Path(temporary) / MODEL_FOLDER, Path(temporary) / "taxi_duration"
        model.save(files)
        _copy_code(code)
        save_model(
            folder,
            mlflow_model=described,
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={MODEL_FOLDER: str(files)},
            code_paths=[str(code)],
            signature=SIGNATURE,
            input_example=input_example(),
            pip_requirements=requirements(),
        )


def requirements() -> list[str]:
    """What serving needs, as pip writes it; MLflow would take 8 s to guess."""
    # The pipeline has mlflow-skinny, a server the whole of the same version.
    pinned = [f"{name}=={version(name)}" for name in _REQUIREMENTS]
    return [f"mlflow=={version('mlflow-skinny')}", *pinned]


def input_example() -> pd.DataFrame:
    """Two requests: O'Hare to the Loop on a Friday morning, and one from outside the city."""
    return pd.DataFrame(
        {
            "pickup_community_area": [float(OHARE), None],
            "dropoff_community_area": [float(LOOP), float(LOOP)],
            "trip_start_timestamp": [datetime(2019, 3, 1, 8, 0), datetime(2019, 3, 2, 21, 30)],
        }
    )


def _copy_code(folder: Path) -> None:
    for name in _CODE:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_SOURCE / name, target)
