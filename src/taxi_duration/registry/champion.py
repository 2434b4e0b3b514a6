"""The model that serves: which version it is, and its files.

A version is found by its alias, so that moving the alias is all that a promotion does.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from taxi_duration.model.duration_model import MODEL_FOLDER, DurationModel
from taxi_duration.registry.client import client, registry_errors
from taxi_duration.settings import Settings

ALIAS: Final = "champion"
# On the latest candidate, as long as it does not serve.
CHALLENGER: Final = "challenger"
SOURCE_TAG: Final = "source"
MONTHS_TAG: Final = "months"
# A version's figures on its test trips are tags that begin so.
METRIC_PREFIX: Final = "metric."
_ABSENT: Final = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


class Champion(msgspec.Struct, frozen=True):
    """One version of the registered model."""

    name: str
    version: str
    # The run that trained it.
    run_id: str
    source: str
    # The months that it was trained on.
    months: list[str]
    # On its test trips: mae, rmse, … in minutes; shares between 0 and 1.
    metrics: dict[str, float]
    # When it was registered, UTC.
    created_at: datetime


def champion(settings: Settings) -> Champion | None:
    """The version that holds the alias `champion`; None where none does.

    Raises RegistryError where the registry cannot be reached.
    """
    with registry_errors(settings):
        try:
            found = client(settings).get_model_version_by_alias(settings.model_name, ALIAS)
        except MlflowException as error:
            if error.error_code in _ABSENT:
                return None
            raise
    return _champion(found)


def version(settings: Settings, version: str) -> Champion:
    """A version by its number. Raises RegistryError where there is no such version."""
    with registry_errors(settings):
        return _champion(client(settings).get_model_version(settings.model_name, version))


def download(settings: Settings, champion: Champion, folder: Path) -> Path:
    """The folder below `folder` with the model's own files: all of them, or none.

    What was fetched once is not fetched again, and any number of processes may share `folder`.
    """
    target = folder / f"{champion.version}-{champion.run_id}"
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as temporary:
        files = _fetch(settings, champion, Path(temporary))
        try:
            files.rename(target)
        except OSError:
            # Another process was first; its copy is as good.
            if not target.is_dir():
                raise
    return target


def load(settings: Settings, champion: Champion) -> DurationModel:
    """The model of a version, its hashes and golden answers checked.

    Raises RegistryError where it cannot be fetched, DamagedModelError where it is not whole.
    """
    with tempfile.TemporaryDirectory() as temporary:
        return DurationModel.load(download(settings, champion, Path(temporary)))


def load_candidate(settings: Settings, model_id: str) -> DurationModel:
    """A logged model that is no version yet; checked, and with the errors, as `load`."""
    with registry_errors(settings), tempfile.TemporaryDirectory() as temporary:
        location = client(settings).get_logged_model(model_id).artifact_location
        return DurationModel.load(_files(settings, location, Path(temporary)))


def _fetch(settings: Settings, champion: Champion, folder: Path) -> Path:
    with registry_errors(settings):
        uri = client(settings).get_model_version_download_uri(champion.name, champion.version)
        return _files(settings, uri, folder)


def _files(settings: Settings, uri: str, folder: Path) -> Path:
    return Path(
        download_artifacts(
            artifact_uri=f"{uri}/artifacts/{MODEL_FOLDER}",
            dst_path=str(folder),
            tracking_uri=settings.mlflow_url,
            registry_uri=settings.mlflow_url,
        )
    )


def _champion(found: ModelVersion) -> Champion:
    tags = found.tags
    return Champion(
        name=found.name,
        version=str(found.version),
        run_id=found.run_id or "",
        source=tags.get(SOURCE_TAG, ""),
        months=tags.get(MONTHS_TAG, "").split(),
        metrics={
            name.removeprefix(METRIC_PREFIX): float(value)
            for name, value in tags.items()
            if name.startswith(METRIC_PREFIX)
        },
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
    )
