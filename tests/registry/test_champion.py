from pathlib import Path
from time import monotonic

import pytest

from registered import logged
from taxi_duration.errors import RegistryError
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.registry.champion import champion, download, load, load_candidate
from taxi_duration.registry.versions import Challenger, register
from taxi_duration.settings import Settings, load_settings
from taxi_duration.storage import Storage
from trips_factory import small_model


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    names = {"model_name": "test-champion", "mlflow_experiment": "test-champion"}
    return backends.model_copy(update=names)


@pytest.fixture(scope="module")
def challenger(settings: Settings) -> Challenger:
    return logged(settings)


@pytest.mark.slow
def test_a_registry_that_cannot_be_reached_is_an_error_within_seconds() -> None:
    started = monotonic()
    with pytest.raises(RegistryError, match="24990"):
        champion(load_settings(mlflow_url="http://127.0.0.1:24990"))
    assert monotonic() - started < 15


@pytest.mark.stack
def test_before_anything_is_registered_there_is_no_champion(backends: Settings) -> None:
    assert champion(backends.model_copy(update={"model_name": "test-nothing"})) is None


@pytest.mark.stack
def test_a_download_is_whole_and_fetched_once(
    settings: Settings, challenger: Challenger, tmp_path: Path
) -> None:
    registered = register(settings, challenger)
    folder = download(settings, registered, tmp_path)
    assert folder.parent == tmp_path
    assert DurationModel.load(folder).info == small_model().info
    away = settings.model_copy(update={"mlflow_url": "http://127.0.0.1:24990"})
    assert download(away, registered, tmp_path) == folder
    assert load(settings, registered).texts() == small_model().texts()


@pytest.mark.stack
def test_a_download_that_fails_leaves_nothing(
    settings: Settings, challenger: Challenger, tmp_path: Path
) -> None:
    registered = register(settings, challenger)
    away = settings.model_copy(update={"mlflow_url": "http://127.0.0.1:24990"})
    with pytest.raises(RegistryError):
        download(away, registered, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.stack
def test_a_version_whose_files_are_gone_is_an_error_that_names_the_registry(
    settings: Settings, tmp_path: Path
) -> None:
    gone = logged(settings)
    registered = register(settings, gone)
    storage = Storage.from_settings(settings)
    stored = [listed["Key"] for listed in storage.objects("mlflow")]
    files = [key for key in stored if f"{gone.model_id}/artifacts/artifacts" in key]
    assert files
    for key in files:
        storage.client.delete_object(Bucket=storage.bucket, Key=key)
    with pytest.raises(RegistryError, match=settings.mlflow_url):
        download(settings, registered, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.stack
def test_a_candidate_can_be_loaded_before_it_is_a_version(
    settings: Settings, challenger: Challenger
) -> None:
    assert load_candidate(settings, challenger.model_id).texts() == small_model().texts()
