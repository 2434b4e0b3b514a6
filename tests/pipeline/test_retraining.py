"""`taxi retrain` against real servers: the same trips again, whatever happened to them since."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from click.testing import CliRunner, Result
from mlflow.artifacts import download_artifacts

from ill_s3 import refusing_server
from mage_parts import free_port
from monitored import with_own_bucket
from taxi_duration.cli import main
from taxi_duration.errors import ReproductionError, StorageError
from taxi_duration.model.duration_model import MODEL_FOLDER
from taxi_duration.pipeline import retraining
from taxi_duration.pipeline.retraining import retrain
from taxi_duration.pipeline.training import build_features, train_models
from taxi_duration.registry import trained
from taxi_duration.registry.client import client
from taxi_duration.registry.runs import Runs
from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack.resolved import as_environment
from taxi_duration.storage import Storage
from taxi_duration.trips.clean import QUARANTINE_SCHEMA, CleanMonth
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from trips_factory import make_trips

pytestmark = pytest.mark.stack

HISTORY = ["2019-01", "2019-02"]
MONTH = "2019-03"
TEXTS = ["lower.txt", "prediction.txt", "upper.txt"]


def load(settings: Settings, pace: float = 1.0) -> Lake:
    """Put three months into the lake, in the place of those that are there."""
    lake = Lake(Storage.from_settings(settings), "simulated")
    for name in (*HISTORY, MONTH):
        month, trips = Month.parse(name), make_trips(name, count=1_000, pace=pace)
        lake.replace_month(month, CleanMonth(month, trips, QUARANTINE_SCHEMA.empty_table(), {}))
    return lake


def train(settings: Settings, lake: Lake, **given: Any) -> dict[str, Any]:
    cleaned = {
        "source": "simulated",
        "month": MONTH,
        "history": HISTORY,
        "seed": 42,
        "replace_source": False,
        "champion": "",
        "lake": {"uri": lake.uri, "version": lake.version()},
    }
    return train_models(settings, build_features(settings, {**cleaned, **given}))


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    """A bucket and an experiment of this module's own."""
    own = with_own_bucket(backends)
    return own.model_copy(update={"mlflow_experiment": f"retrain-{uuid4().hex}"})


@pytest.fixture(scope="module")
def run(settings: Settings) -> dict[str, Any]:
    """A run whose months were loaded again since, with other trips."""
    trained = train(settings, load(settings))
    load(settings, pace=1.3)
    return trained


@pytest.fixture
def taxi(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Types `taxi retrain --run …`."""
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    return lambda run_id: CliRunner().invoke(main, ["retrain", "--run", run_id])


def test_a_run_is_trained_again_from_the_trips_of_its_time(
    settings: Settings, run: dict[str, Any]
) -> None:
    again = retrain(settings, run["run_id"])
    assert again.same
    assert [file.name for file in again.files] == TEXTS
    assert all(file.stored == file.again and file.line == 0 for file in again.files)
    assert again.run.run_id == run["candidates"]["lightgbm"]
    assert (again.facts, again.changes) == ([], [])


def test_a_run_that_learned_a_part_of_its_month_is_trained_again_from_that_part(
    settings: Settings, run: dict[str, Any]
) -> None:
    partly = train(settings, load(settings), history=[*HISTORY, MONTH], retraining=3)
    load(settings, pace=1.3)
    again = retrain(settings, partly["run_id"])
    assert again.same, again.facts
    assert again.run.test_from == datetime(2019, 3, 22)


def test_the_trips_of_today_would_have_made_another_model(
    settings: Settings, run: dict[str, Any]
) -> None:
    today = train(settings, Lake(Storage.from_settings(settings), "simulated"))
    first, second = (retrain(settings, each["run_id"]) for each in (run, today))
    assert first.same
    assert second.same
    assert [file.stored for file in first.files] != [file.stored for file in second.files]


def test_seed_and_parameters_are_those_of_the_run(settings: Settings, run: dict[str, Any]) -> None:
    other = train(settings, Lake(Storage.from_settings(settings), "simulated"), seed=7)
    again = retrain(settings, other["candidates"]["lightgbm"])
    assert again.same
    assert again.run.info.seed == 7


def test_the_command_prints_the_hash_of_each_booster(
    taxi: Callable[..., Result], run: dict[str, Any], settings: Settings
) -> None:
    result = taxi(run["run_id"])
    assert result.exit_code == 0, result.output
    for file in retrain(settings, run["run_id"]).files:
        assert f"{file.name:<15} {file.stored}  same" in result.output
    assert "seed 42" in result.output
    assert "is the same, bit by bit" in result.output


def test_a_model_that_is_not_what_the_trips_make_is_told_and_fails(
    taxi: Callable[..., Result], settings: Settings, tmp_path: Path
) -> None:
    trained = train(settings, Lake(Storage.from_settings(settings), "simulated"))
    file = tmp_path / "prediction.txt"
    stored = client(settings)
    place = stored.get_logged_model(trained["model_id"]).artifact_location
    path = f"{place}/artifacts/{MODEL_FOLDER}/prediction.txt"
    fetched = Path(download_artifacts(path, tracking_uri=settings.mlflow_url))
    file.write_text(fetched.read_text().replace("num_class=1", "num_class=2", 1))
    stored.log_model_artifact(trained["model_id"], str(file), f"artifacts/{MODEL_FOLDER}")
    result = taxi(trained["run_id"])
    assert result.exit_code == 1
    assert "lower.txt       " in result.output
    assert "differs from line 3" in result.output
    assert "trained again, is another one: prediction.txt." in result.output
    assert "Nothing of features, libraries and code changed since" in result.output


def test_what_changed_since_is_named(
    taxi: Callable[..., Result],
    settings: Settings,
    run: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def older(*arguments: Any) -> trained.TrainedRun:
        now = trained.trained_run(*arguments)
        return now._replace(libraries={**now.libraries, "lightgbm": "4.0.0"}, commit="a" * 40)

    monkeypatch.setattr(retraining, "trained_run", older)
    result = taxi(run["run_id"])
    assert result.exit_code == 0
    assert "changed since: lightgbm: 4.0.0 then, 4." in result.output
    assert f"changed since: code: commit {'a' * 12} then, " in result.output


def test_other_features_are_named(
    settings: Settings, run: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def older(*arguments: Any) -> trained.TrainedRun:
        now = trained.trained_run(*arguments)
        features = tuple("lunar_phase" if name == "hour" else name for name in now.info.features)
        return now._replace(info=msgspec.structs.replace(now.info, features=features))

    monkeypatch.setattr(retraining, "trained_run", older)
    assert retrain(settings, run["run_id"]).changes == [
        "features: now without lunar_phase and with hour"
    ]


def test_a_run_that_does_not_exist_is_told(taxi: Callable[..., Result]) -> None:
    result = taxi("0" * 32)
    assert result.exit_code == 1
    assert f"MLflow has no run {'0' * 32}" in result.output


def test_a_baseline_s_run_is_told_what_to_name(settings: Settings, run: dict[str, Any]) -> None:
    with pytest.raises(ReproductionError, match=r"trained no model that can serve.*lightgbm"):
        retrain(settings, run["candidates"]["floor"])


def test_a_run_that_does_not_say_enough_is_told(settings: Settings) -> None:
    trained = train(settings, Lake(Storage.from_settings(settings), "simulated"))
    candidate = trained["candidates"]["lightgbm"]
    Runs.connect(settings).client.delete_tag(candidate, "calibration_from")
    with pytest.raises(ReproductionError, match="calibration trips begin"):
        retrain(settings, candidate)


def test_a_lake_that_was_made_anew_is_told(settings: Settings, run: dict[str, Any]) -> None:
    other = with_own_bucket(settings)
    with pytest.raises(ReproductionError, match=rf"these settings have .*{other.s3_bucket}"):
        retrain(other, run["run_id"])


def test_a_lake_that_cannot_be_reached_is_told_without_a_trace(
    taxi: Callable[..., Result], run: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("TAXI_S3_ENDPOINT", nobody)
    result = taxi(run["run_id"])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert f"at {nobody} cannot be used: " in result.output


def test_an_s3_that_cannot_be_used_is_told_before_mlflow_is_asked_for_what_lies_there(
    tmp_path: Path,
) -> None:
    with refusing_server(500) as (mlflow, asked):
        settings = load_settings(
            home=tmp_path, mlflow_url=mlflow, s3_endpoint=f"http://127.0.0.1:{free_port()}"
        )
        with pytest.raises(StorageError, match="cannot be used"):
            retrain(settings, "a-run")
        assert asked == []


def test_a_version_that_is_gone_is_told(settings: Settings) -> None:
    own = with_own_bucket(settings)
    lake = load(own)
    load(own)
    trained = train(own, lake)
    storage = Storage.from_settings(own)
    for found in storage.client.list_objects_v2(Bucket=own.s3_bucket, Prefix="lake/")["Contents"]:
        storage.client.delete_object(Bucket=own.s3_bucket, Key=found["Key"])
    with pytest.raises(ReproductionError, match="cannot be read any more"):
        retrain(own, trained["run_id"])
    lake.replace_month(
        Month.parse(MONTH),
        CleanMonth(Month.parse(MONTH), make_trips(MONTH), QUARANTINE_SCHEMA.empty_table(), {}),
    )
    with pytest.raises(ReproductionError, match="cannot be read any more"):
        retrain(own, trained["run_id"])
