"""The model that serves: which version it is, and its files.

A version is found by its alias, so that moving the alias is all that a promotion does. The service
imports this module, so it does without MLflow.
"""

import math
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import UnknownVersionError
from taxi_duration.model.duration_model import MODEL_FILES, MODEL_FOLDER, DurationModel
from taxi_duration.registry.rest import API, mlflow_server
from taxi_duration.settings import Settings

ALIAS: Final = "champion"
# On the latest candidate, as long as it does not serve.
CHALLENGER: Final = "challenger"
# Beside a model's files, where they lie apart from the registry: which version they are.
RECORD: Final = "champion.json"
SOURCE_TAG: Final = "source"
MONTHS_TAG: Final = "months"
# A version's figures on its test trips are tags that begin so.
METRIC_PREFIX: Final = "metric."
# MLflow's pages use these to show files, wherever they are stored: the server fetches them, so
# that nobody here needs a key to the store.
_VERSION_FILES: Final = "model-versions/get-artifact"
_CANDIDATE_FILES: Final = "ajax-api/2.0/mlflow/logged-models/{}/artifacts/files"


class _Tag(msgspec.Struct):
    key: str
    value: str = ""


class _Version(msgspec.Struct):
    name: str
    version: str
    # Milliseconds since 1970.
    creation_timestamp: int
    run_id: str = ""
    tags: list[_Tag] = []


class _Answer(msgspec.Struct):
    model_version: _Version


def champion(settings: Settings, alias: str = ALIAS) -> ModelVersion | None:
    """The version that holds the alias; None where none does.

    Raises RegistryError where the registry cannot be reached.
    """
    query = {"name": settings.model_name, "alias": alias}
    try:
        with mlflow_server(settings) as server:
            found = server.get(f"{API}/registered-models/alias", query, _Answer)
    except UnknownVersionError:
        return None
    return _described(found.model_version)


def version(settings: Settings, version: str) -> ModelVersion:
    """A version by its number. Raises RegistryError where there is no such version."""
    query = {"name": settings.model_name, "version": version}
    with mlflow_server(settings) as server:
        found = server.get(f"{API}/model-versions/get", query, _Answer)
    return _described(found.model_version)


def download(settings: Settings, version: ModelVersion, folder: Path) -> Path:
    """The folder below `folder` with the model's own files: all of them, or none.

    What was fetched once is not fetched again, and any number of processes may share `folder`.
    """
    target = folder / f"{version.version}-{version.run_id}"
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as temporary:
        files = Path(temporary) / MODEL_FOLDER
        query = {"name": version.name, "version": version.version}
        _fetch(settings, files, _VERSION_FILES, query, "path")
        try:
            files.rename(target)
        except OSError:
            # Another process was first; its copy is as good.
            if not target.is_dir():
                raise
    return target


def model_uri(version: ModelVersion) -> str:
    """A version's address in MLflow."""
    return f"models:/{version.name}/{version.version}"


def load(settings: Settings, version: ModelVersion) -> DurationModel:
    """The model of a version, its hashes and golden answers checked.

    Raises RegistryError where it cannot be fetched, DamagedModelError where it is not whole.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = download(settings, version, Path(temporary))
        return DurationModel.load(folder, model_uri(version))


def load_candidate(settings: Settings, model_id: str) -> DurationModel:
    """A logged model that is no version yet; checked, and with the errors, as `load`."""
    with tempfile.TemporaryDirectory() as temporary:
        files = Path(temporary) / MODEL_FOLDER
        _fetch(settings, files, _CANDIDATE_FILES.format(model_id), {}, "artifact_file_path")
        return DurationModel.load(files, f"models:/{model_id}")


def _fetch(
    settings: Settings, folder: Path, page: str, query: Mapping[str, str], path_name: str
) -> None:
    """Bring the model's files into the new `folder`; the page's parameter `path_name` names one."""
    folder.mkdir()
    with mlflow_server(settings) as server:
        for name in MODEL_FILES:
            path = {path_name: f"artifacts/{MODEL_FOLDER}/{name}"}
            server.download(page, {**query, **path}, folder / name)


def metrics_of(tags: Mapping[str, str]) -> dict[str, float]:
    """A version's figures by name, of its tags.

    Anybody may write tags: what is no finite number is left out, and keeps no version from serving.
    """
    found = {
        name.removeprefix(METRIC_PREFIX): _number(value)
        for name, value in tags.items()
        if name.startswith(METRIC_PREFIX)
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _number(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return math.nan


def _described(found: _Version) -> ModelVersion:
    tags = {tag.key: tag.value for tag in found.tags}
    return ModelVersion(
        name=found.name,
        version=found.version,
        run_id=found.run_id,
        source=tags.get(SOURCE_TAG, ""),
        months=tags.get(MONTHS_TAG, "").split(),
        metrics=metrics_of(tags),
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
    )
