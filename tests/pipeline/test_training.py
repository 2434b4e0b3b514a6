import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.compute as pc
import pytest
from mlflow import MlflowClient

from taxi_duration.errors import DamagedModelError, RegistryError
from taxi_duration.model.features import FEATURES
from taxi_duration.pipeline.gate import gate, register_model
from taxi_duration.pipeline.training import build_features
from taxi_duration.registry.champion import champion, load, version
from taxi_duration.registry.client import client
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from training_parts import HISTORY, damage, fill, finish, own_place, train

pytestmark = pytest.mark.stack

SEGMENT_COLUMNS = {"trip_start_timestamp", "pickup_community_area", "dropoff_community_area"}
CANDIDATES = {"pair_median", "floor", "linear_regression", "extra_trees", "lightgbm"}


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    return own_place(backends)


@pytest.fixture
def empty(settings: Settings) -> Settings:
    """The same servers with a registered model of its own, which has no version yet."""
    return settings.model_copy(update={"model_name": uuid4().hex})


@pytest.fixture(scope="module")
def mlflow(settings: Settings) -> MlflowClient:
    return client(settings)


@pytest.fixture(scope="module")
def cleaned(settings: Settings) -> dict[str, Any]:
    return fill(settings, "simulated")


@pytest.fixture(scope="module")
def evaluated(settings: Settings, cleaned: dict[str, Any]) -> dict[str, Any]:
    return train(settings, cleaned)


@pytest.fixture(scope="module")
def registered(settings: Settings, evaluated: dict[str, Any]) -> dict[str, Any]:
    return finish(settings, evaluated)


def test_the_history_trains_and_calibrates_and_the_month_tests(
    settings: Settings, evaluated: dict[str, Any]
) -> None:
    features = evaluated["features"]
    assert features["train"] + features["calibration"] == 4_000
    # An eighth, and what of the day before it is needed for whole days.
    assert 500 <= features["calibration"] <= 600
    assert features["split"]["calibration"].endswith("T00:00:00")
    assert features["test"] == 2_000
    assert features["split"]["test"] == "2019-03-01T00:00:00"
    storage = Storage.from_settings(settings)
    table = storage.read_table(storage.key(features["uri"]))
    assert set(table.column_names) == {*FEATURES, *SEGMENT_COLUMNS, "minutes", "part"}
    march = pc.equal(table["month"], 3)
    assert pc.equal(table["part"], "test").equals(march)


def test_a_retraining_learns_the_first_days_of_its_month_and_is_tested_on_the_last_ten(
    backends: Settings,
) -> None:
    own = own_place(backends)
    cleaned = fill(own, "simulated")
    again = {"history": [*HISTORY, cleaned["month"]], "retraining": 3}
    features = build_features(own, {**cleaned, **again})["features"]
    assert features["split"]["test"] == "2019-03-22T00:00:00"
    assert features["test"] == pytest.approx(2_000 * 10 / 31, rel=0.1)
    assert features["train"] + features["calibration"] + features["test"] == 6_000


def test_only_references_and_plain_values_travel(registered: dict[str, Any]) -> None:
    assert json.loads(json.dumps(registered)) == registered
    assert "null" not in json.dumps(registered)
    assert len(json.dumps(registered)) < 10_000


def test_each_candidate_has_a_nested_run_that_says_all(
    evaluated: dict[str, Any], mlflow: MlflowClient
) -> None:
    assert set(evaluated["candidates"]) == set(evaluated["metrics"]) == CANDIDATES
    for name, run_id in evaluated["candidates"].items():
        run = mlflow.get_run(run_id)
        assert run.info.status == "FINISHED"
        assert run.info.run_name == name
        assert run.data.tags["mlflow.parentRunId"] == evaluated["run_id"]
        assert run.data.tags["source"] == "simulated"
        assert run.data.params["seed"] == "42"
        assert run.data.metrics.keys() >= {
            *("mae", "rmse", "mape", "median_error", "within_5", "late_5", "training_seconds")
        }
        assert run.data.metrics["mae"] == pytest.approx(evaluated["metrics"][name]["mae"])
        assert run.inputs.dataset_inputs[0].dataset.name == "trips-simulated"
        plots = {file.path for file in mlflow.list_artifacts(run_id, "plots")}
        assert plots >= {"plots/residuals.png", "plots/predicted_against_real.png"}


def test_the_model_that_can_serve_also_has_its_interval_and_importance(
    evaluated: dict[str, Any], mlflow: MlflowClient
) -> None:
    assert 0.7 < evaluated["metrics"]["lightgbm"]["coverage_80"] < 0.9
    assert evaluated["metrics"]["lightgbm"].keys() >= {"interval_width", "pinball", "late_5"}
    plots = mlflow.list_artifacts(evaluated["candidates"]["lightgbm"], "plots")
    assert "plots/importance.png" in {file.path for file in plots}
    assert evaluated["best"] == "lightgbm"


def test_the_parent_run_is_tagged_and_ends(
    registered: dict[str, Any], mlflow: MlflowClient
) -> None:
    run = mlflow.get_run(registered["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.tags["source"] == "simulated"
    assert run.data.tags["version"] == registered["version"]
    assert run.data.tags["reason"] == registered["reason"]
    assert run.data.tags["decision"] == "promoted"
    assert run.data.metrics["floor_mae"] == registered["metrics"]["floor"]["mae"]


def test_the_first_model_that_beats_the_floor_serves(
    settings: Settings, registered: dict[str, Any], mlflow: MlflowClient
) -> None:
    assert registered["promoted"]
    assert registered["champion"] == registered["version"] == "1"
    serving = champion(settings)
    assert serving
    assert (serving.source, serving.months) == ("simulated", HISTORY)
    assert serving.metrics["mae"] == pytest.approx(registered["metrics"]["lightgbm"]["mae"], 1e-5)
    info = load(settings, serving).info
    assert (info.lake_version, info.seed) == (registered["lake"]["version"], 42)
    stored = mlflow.get_model_version(settings.model_name, "1")
    assert "**Promoted.**" in stored.description
    assert "| floor |" in stored.description


def test_the_same_run_again_makes_an_equal_version_that_does_not_serve(
    settings: Settings, registered: dict[str, Any], cleaned: dict[str, Any]
) -> None:
    before = version(settings, registered["version"])
    again = finish(settings, train(settings, cleaned))
    assert (again["version"], again["champion"], again["promoted"]) == ("2", "1", False)
    assert "no difference" in again["reason"]
    first, second = (load(settings, version(settings, number)) for number in ("1", "2"))
    assert first.texts() == second.texts()
    assert champion(settings) == before


def test_a_registration_that_is_tried_again_makes_no_second_version(
    settings: Settings, registered: dict[str, Any], evaluated: dict[str, Any]
) -> None:
    for again in (register_model(settings, registered), finish(settings, evaluated)):
        assert again["version"] == again["champion"] == registered["version"]
        assert (again["promoted"], again["reason"]) == (True, registered["reason"])


def test_a_better_model_takes_over(
    empty: Settings, evaluated: dict[str, Any], cleaned: dict[str, Any]
) -> None:
    finish(empty, evaluated)
    better = train(empty, fill(empty, "simulated", pace=1.3, seed=1))
    taken = finish(empty, better)
    assert taken["decision"]["rival"] == "1"
    assert taken["champion_metrics"]["mae"] > taken["metrics"]["lightgbm"]["mae"]
    assert (taken["champion"], taken["promoted"]) == ("2", True)


@pytest.mark.parametrize("replace_source", [False, True])
def test_a_better_model_of_another_source_takes_over_only_when_told_to(
    empty: Settings, evaluated: dict[str, Any], replace_source: bool
) -> None:
    finish(empty, evaluated)
    files = fill(empty, "files", pace=1.3, seed=2)
    result = finish(empty, train(empty, {**files, "replace_source": replace_source}))
    assert result["version"] == "2"
    assert result["promoted"] == replace_source
    assert result["champion"] == ("2" if replace_source else "1")


def test_a_registration_that_fails_leaves_the_former_champion(
    settings: Settings, registered: dict[str, Any], evaluated: dict[str, Any], mlflow: MlflowClient
) -> None:
    with pytest.raises(RegistryError):
        finish(
            settings,
            {
                **evaluated,
                "model_id": "m-00000000000000000000000000000000",
                "candidates": {**evaluated["candidates"], "lightgbm": "0" * 32},
            },
        )
    serving = champion(settings)
    assert serving
    assert serving.version == registered["champion"]
    assert mlflow.get_run(evaluated["run_id"]).info.status == "FAILED"


def test_a_model_whose_files_are_damaged_is_refused(
    empty: Settings, cleaned: dict[str, Any], mlflow: MlflowClient, tmp_path: Path
) -> None:
    evaluated = train(empty, cleaned)
    damage(mlflow, evaluated["model_id"], tmp_path)
    refused = finish(empty, evaluated)
    assert (refused["promoted"], refused["champion"]) == (False, "")
    file = f"models:/{evaluated['model_id']}/prediction.txt"
    assert f"{file} is not the file that was saved" in refused["reason"]
    assert champion(empty) is None


def test_a_model_whose_files_are_damaged_after_the_gate_does_not_serve(
    empty: Settings, cleaned: dict[str, Any], mlflow: MlflowClient, tmp_path: Path
) -> None:
    gated = gate(empty, train(empty, cleaned))
    damage(mlflow, gated["model_id"], tmp_path)
    with pytest.raises(DamagedModelError):
        register_model(empty, gated)
    assert champion(empty) is None


def test_a_champion_that_cannot_be_loaded_gives_way_to_a_model_that_beats_the_floor(
    empty: Settings, cleaned: dict[str, Any], mlflow: MlflowClient, tmp_path: Path
) -> None:
    first = train(empty, cleaned)
    finish(empty, first)
    damage(mlflow, first["model_id"], tmp_path)
    healed = finish(empty, train(empty, cleaned))
    assert (healed["champion"], healed["promoted"]) == ("2", True)
    file = f"models:/{empty.model_name}/1/prediction.txt"
    assert f"champion 1 fails: {file} is not the file that was saved" in healed["reason"]
    assert load(empty, version(empty, "2"))
