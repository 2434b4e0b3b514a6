"""What an earlier run trained: its model's own files, and what the run says of how it was made."""

from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT, MLFLOW_PARENT_RUN_ID

from taxi_duration.errors import UNREADABLE, ReproductionError
from taxi_duration.model.duration_model import INFO_FILE, MODEL_FOLDER, ModelInfo
from taxi_duration.registry.candidates import SERVABLE
from taxi_duration.registry.client import client, registry_errors
from taxi_duration.settings import Settings

# The start of the first trip that calibrated a model, Chicago local time.
CALIBRATION_TAG: Final = "calibration_from"
# The start of the first trip that tested it; a month of its history may be in part for the test.
TEST_TAG: Final = "test_from"
# What MLflow says of a run that it does not have.
_ABSENT: Final = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


class TrainedRun(NamedTuple):
    """The run that trained a model: its id, the model's, and what the model was made with."""

    run_id: str
    info: ModelInfo
    calibration_from: datetime
    # Of the code; empty where it is not known.
    commit: str
    # Version by name, as the stored model asks for them.
    libraries: dict[str, str]
    # The folder of the model's own files.
    files: Path
    # None: all of its history trained it.
    test_from: datetime | None = None


class _ModelFile(msgspec.Struct):
    info: ModelInfo


def trained_run(settings: Settings, run_id: str, folder: Path) -> TrainedRun:
    """What a run trained, its files fetched into `folder`.

    `run_id` is of the pipeline's run in MLflow, or of the candidate in it that can serve, which is
    what a registered version names. Raises ReproductionError where it says too little.
    """
    with registry_errors(settings):
        mlflow = client(settings)
        run = _candidate(mlflow, run_id)
        model = mlflow.get_logged_model(run.outputs.model_outputs[0].model_id)
        package = Path(
            download_artifacts(
                artifact_uri=model.artifact_location,
                dst_path=str(folder),
                tracking_uri=settings.mlflow_url,
                registry_uri=settings.mlflow_url,
            )
        )
    tags, files = run.data.tags, package / "artifacts" / MODEL_FOLDER
    if CALIBRATION_TAG not in tags:
        raise ReproductionError(
            f"The run {run.info.run_id} does not say where its calibration trips begin.",
            "An earlier version of this project made it: train it with that version.",
        )
    return TrainedRun(
        run_id=run.info.run_id,
        info=_info(files, tags.get(MLFLOW_GIT_COMMIT, "")),
        calibration_from=datetime.fromisoformat(tags[CALIBRATION_TAG]),
        commit=tags.get(MLFLOW_GIT_COMMIT, ""),
        libraries=_pins(package / "requirements.txt"),
        files=files,
        test_from=datetime.fromisoformat(tags[TEST_TAG]) if TEST_TAG in tags else None,
    )


def tested_from(settings: Settings, run_id: str) -> datetime | None:
    """When the trips start that tested a run's model, and none of which it learned from.

    None where the run does not say, or is not there any more.
    """
    with registry_errors(settings):
        try:
            tags = client(settings).get_run(run_id).data.tags
        except MlflowException as error:
            if error.error_code not in _ABSENT:
                raise
            return None
    return datetime.fromisoformat(tags[TEST_TAG]) if TEST_TAG in tags else None


def _candidate(mlflow: MlflowClient, run_id: str) -> Run:
    """The run that trained the model that can serve."""
    try:
        run = mlflow.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        raise ReproductionError(
            f"MLflow has no run {run_id}.", "Its pages list all runs with their ids."
        ) from error
    nested = mlflow.search_runs(
        [run.info.experiment_id],
        f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run.info.run_id}'"
        f" and attributes.run_name = '{SERVABLE}'",
    )
    for each in [run, *nested]:
        if each.outputs and each.outputs.model_outputs:
            return each
    raise ReproductionError(
        f"The run {run_id} ({run.info.run_name}, {run.info.status.lower()}) trained no model that"
        " can serve.",
        f"Name a run of the pipeline, or its nested run {SERVABLE}.",
    )


def _info(files: Path, commit: str) -> ModelInfo:
    try:
        return msgspec.json.decode((files / INFO_FILE).read_bytes(), type=_ModelFile).info
    except UNREADABLE as error:
        raise ReproductionError(
            f"The stored {INFO_FILE} is not of this version of the project: {error}.",
            f"Train it with the version that made it{f', commit {commit}' if commit else ''}.",
        ) from error


def _pins(requirements: Path) -> dict[str, str]:
    lines = (line.partition("==") for line in requirements.read_text().split())
    return {name: version for name, _, version in lines if version}
