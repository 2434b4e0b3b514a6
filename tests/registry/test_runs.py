import subprocess
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from taxi_duration.errors import RegistryError
from taxi_duration.registry.runs import LakeInput, Runs, commit
from taxi_duration.settings import STACK_FILE, Settings, load_settings

LAKE = LakeInput("simulated", "s3://bucket/lake/simulated/trips", 7, 1_234)


@pytest.fixture
def runs(backends: Settings) -> Runs:
    return Runs.connect(backends.model_copy(update={"mlflow_experiment": "test-runs"}))


def test_the_commit_is_the_checkouts(root: Path) -> None:
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False
    )
    assert commit(load_settings()) == (head.stdout.strip() if head.returncode == 0 else "")


def test_an_image_says_of_which_commit_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXI_REVISION", "abc")
    assert commit(load_settings()) == "abc"


def test_the_commit_that_the_settings_name_counts_whatever_the_environment_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAXI_REVISION", "abc")
    assert commit(load_settings(revision="def")) == "def"


def test_a_commit_in_the_stacks_file_counts_as_of_every_setting(tmp_path: Path) -> None:
    (tmp_path / STACK_FILE).write_text("TAXI_REVISION=abc\n")
    assert commit(load_settings(home=tmp_path)) == "abc"


@pytest.mark.stack
def test_a_run_is_tagged_with_the_commit_that_the_settings_name(backends: Settings) -> None:
    own = backends.model_copy(update={"mlflow_experiment": "test-runs", "revision": "abc"})
    runs = Runs.connect(own)
    run = runs.client.get_run(runs.start("of a commit", {}))
    assert run.data.tags["mlflow.source.git.commit"] == "abc"


def test_without_git_there_is_no_commit_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert commit(load_settings()) == ""


@pytest.mark.usefixtures("quick_retries")
def test_a_server_that_does_not_answer_is_named() -> None:
    settings = load_settings(mlflow_url="http://127.0.0.1:24990")
    with pytest.raises(RegistryError, match=r"24990.*taxi status"):
        Runs.connect(settings)


@pytest.mark.stack
def test_an_experiment_is_made_once(backends: Settings, runs: Runs) -> None:
    again = Runs.connect(backends.model_copy(update={"mlflow_experiment": "test-runs"}))
    assert again.experiment_id == runs.experiment_id


@pytest.mark.stack
def test_a_candidate_is_nested_and_says_what_it_was_made_from(runs: Runs) -> None:
    parent = runs.start("2019-03 simulated", {"source": "simulated"})
    with runs.candidate("floor", parent, {"source": "simulated"}, {"seed": 42}, LAKE) as run_id:
        runs.record(run_id, metrics={"mae": 3.7})
        runs.draw(run_id, {"residuals": Figure()})
    run = runs.client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.parentRunId"] == parent
    assert run.data.tags["source"] == "simulated"
    if code := commit(load_settings()):
        assert run.data.tags["mlflow.source.git.commit"] == code
    assert (run.data.params, run.data.metrics) == ({"seed": "42"}, {"mae": 3.7})
    dataset = run.inputs.dataset_inputs[0].dataset
    assert (dataset.name, dataset.digest) == ("trips-simulated", "version-7")
    assert '"delta_table_version": 7' in dataset.source
    pictures = runs.client.list_artifacts(run_id, "plots")
    assert [picture.path for picture in pictures] == ["plots/residuals.png"]


@pytest.mark.stack
def test_a_run_whose_work_raises_has_failed_until_a_later_step_succeeds(runs: Runs) -> None:
    run_id = runs.start("2019-03 simulated", {})
    with pytest.raises(ZeroDivisionError), runs.ending(run_id):
        1 / 0  # noqa: B018
    assert runs.client.get_run(run_id).info.status == "FAILED"
    with runs.ending(run_id):
        runs.record(run_id, metrics={"mae": 1})
    assert runs.client.get_run(run_id).info.status == "FINISHED"
