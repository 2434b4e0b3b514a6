from pathlib import Path
from uuid import uuid4

import pytest
from mlflow import MlflowClient

from monitored import figures
from taxi_duration.errors import RegistryError
from taxi_duration.monitoring.reports import document
from taxi_duration.monitoring.tracking import log_report
from taxi_duration.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture
def settings(backends: Settings) -> Settings:
    return backends.model_copy(update={"mlflow_experiment": uuid4().hex})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "drift.html").write_text("<p>page</p>")
    (tmp_path / "drift.json").write_bytes(document(figures(), {"metrics": []}))
    return tmp_path


def test_the_mlflow_ui_can_show_the_report(settings: Settings, folder: Path) -> None:
    url = log_report(settings, figures(), folder)
    client = MlflowClient(tracking_uri=settings.mlflow_url)
    experiment = client.get_experiment_by_name(f"{settings.mlflow_experiment}-drift")
    (run,) = client.search_runs([experiment.experiment_id])
    assert url == (
        f"{settings.mlflow_url}/#/experiments/{experiment.experiment_id}"
        f"/runs/{run.info.run_id}/artifacts/drift.html"
    )
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == [
        "drift.html",
        "drift.json",
    ]
    assert run.info.status == "FINISHED"


def test_the_run_is_tagged_and_has_the_figures(settings: Settings, folder: Path) -> None:
    made = figures()
    run_id = log_report(settings, made, folder).split("/runs/")[1].split("/")[0]
    run = MlflowClient(tracking_uri=settings.mlflow_url).get_run(run_id)
    assert run.data.tags["month"] == "2019-03"
    assert run.data.tags["source"] == "simulated"
    assert run.data.tags["model_version"] == "3"
    assert run.data.metrics["drift_trip_minutes"] == 0.3
    assert run.data.metrics["current_mae"] == pytest.approx(made.performance["current"].mae)


def test_a_run_that_could_not_be_logged_whole_is_marked_as_failed(
    settings: Settings, folder: Path
) -> None:
    (folder / "drift.json").unlink()
    with pytest.raises(OSError, match=r"drift\.json"):
        log_report(settings, figures(), folder)
    client = MlflowClient(tracking_uri=settings.mlflow_url)
    experiment = client.get_experiment_by_name(f"{settings.mlflow_experiment}-drift")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FAILED"


def test_a_server_that_does_not_answer_is_named(folder: Path, settings: Settings) -> None:
    silent = settings.model_copy(update={"mlflow_url": "http://127.0.0.1:1"})
    with pytest.raises(RegistryError, match=r"http://127\.0\.0\.1:1"):
        log_report(silent, figures(), folder)
