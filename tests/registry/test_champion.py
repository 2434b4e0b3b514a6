from pathlib import Path
from time import monotonic

import pytest

from taxi_duration.errors import RegistryError
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.registry.champion import champion, download, load, version
from taxi_duration.registry.package import log_model
from taxi_duration.registry.promotion import Challenger, Comparison, Decision, register, settle
from taxi_duration.registry.runs import Runs
from taxi_duration.settings import Settings, load_settings
from taxi_duration.storage import Storage
from trips_factory import small_model


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    names = {"model_name": "test-champion", "mlflow_experiment": "test-champion"}
    return backends.model_copy(update=names)


@pytest.fixture(scope="module")
def challenger(settings: Settings) -> Challenger:
    runs = Runs.connect(settings)
    run_id = runs.start("lightgbm", {})
    model_id = log_model(runs, run_id, "lightgbm", small_model())
    metrics = {"mae": 3.6, "coverage_80": 0.8}
    return Challenger(model_id, run_id, "simulated", ["2019-01", "2019-02"], metrics, 3.7)


def test_a_registry_that_cannot_be_reached_is_an_error_within_seconds() -> None:
    started = monotonic()
    with pytest.raises(RegistryError, match="24990"):
        champion(load_settings(mlflow_url="http://127.0.0.1:24990"))
    assert monotonic() - started < 15


@pytest.mark.stack
def test_before_anything_is_registered_there_is_no_champion(backends: Settings) -> None:
    assert champion(backends.model_copy(update={"model_name": "test-nothing"})) is None


@pytest.mark.stack
def test_a_version_is_registered_once_however_often_it_is_tried(
    settings: Settings, challenger: Challenger
) -> None:
    first, again = register(settings, challenger), register(settings, challenger)
    assert first == again == version(settings, first.version)
    assert (first.run_id, first.source) == (challenger.run_id, "simulated")
    assert first.months == ["2019-01", "2019-02"]
    assert first.metrics == {"mae": 3.6, "coverage_80": 0.8, "floor_mae": 3.7}


@pytest.mark.stack
def test_a_registered_version_serves_only_once_it_is_promoted(
    settings: Settings, challenger: Challenger
) -> None:
    registered = register(settings, challenger)
    refused = Decision(False, "It is worse.")
    assert settle(settings, registered, refused, Comparison(), "Words.") == refused
    assert champion(settings) is None
    settle(settings, registered, Decision(True, "It is better."), Comparison(), "Words.")
    assert champion(settings) == registered
    stored = Runs.connect(settings).client.get_model_version("test-champion", registered.version)
    assert stored.tags["decision"] == "promoted"
    assert stored.tags["reason"] == "It is better."
    assert stored.description == "**Promoted.** It is better.\n\nWords."


@pytest.mark.stack
def test_a_champion_that_changed_meanwhile_stays(
    settings: Settings, challenger: Challenger
) -> None:
    holder = register(settings, challenger)
    settle(settings, holder, Decision(True, "It is better."), Comparison(), "")
    runs = Runs.connect(settings)
    run_id = runs.start("lightgbm", {})
    late = challenger._replace(
        run_id=run_id, model_id=log_model(runs, run_id, "lightgbm", small_model())
    )
    decision = settle(
        settings, register(settings, late), Decision(True, "Better."), Comparison("77"), ""
    )
    assert not decision.promoted
    assert "became champion while" in decision.reason
    assert champion(settings) == holder


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
    settings: Settings, challenger: Challenger, tmp_path: Path
) -> None:
    runs = Runs.connect(settings)
    run_id = runs.start("lightgbm", {})
    model_id = log_model(runs, run_id, "lightgbm", small_model())
    registered = register(settings, challenger._replace(run_id=run_id, model_id=model_id))
    storage = Storage.from_settings(settings)
    stored = storage.client.list_objects_v2(Bucket=storage.bucket, Prefix="mlflow")["Contents"]
    for key in (item["Key"] for item in stored if f"{model_id}/artifacts/artifacts" in item["Key"]):
        storage.client.delete_object(Bucket=storage.bucket, Key=key)
    with pytest.raises(RegistryError, match=settings.mlflow_url):
        download(settings, registered, tmp_path)
    assert list(tmp_path.iterdir()) == []
