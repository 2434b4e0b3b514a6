import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDERS = {
    "data_loader": "data_loaders",
    "transformer": "transformers",
    "data_exporter": "data_exporters",
    "conditional": "conditionals",
    "callback": "callbacks",
}
TRAINING = ["build_features", "train_models", "evaluate_models", "gate", "register_model"]
DRIFT = ["score_trips", "drift_report", "export_report", "record_drift"]
TRUTH = ["record_truth"]
LIVE = ["load_window", "compare_window", "record_window"]
PIPELINES = ("taxi_duration", "live_monitoring")
LOOP = ["judge_retraining", "queue_retraining"]


@pytest.fixture(scope="module")
def project(root: Path) -> Path:
    return root / "orchestration" / "taxi_duration"


@pytest.fixture(scope="module")
def pipelines(project: Path) -> dict[str, dict[str, Any]]:
    texts = {name: project / "pipelines" / name / "metadata.yaml" for name in PIPELINES}
    return {name: yaml.safe_load(path.read_text()) for name, path in texts.items()}


@pytest.fixture(scope="module")
def pipeline(pipelines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return pipelines["taxi_duration"]


@pytest.fixture(scope="module")
def live(pipelines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return pipelines["live_monitoring"]


@pytest.fixture(scope="module")
def triggers(project: Path) -> list[dict[str, Any]]:
    """Those of both pipelines."""
    paths = [project / "pipelines" / name / "triggers.yaml" for name in PIPELINES]
    return [each for path in paths for each in yaml.safe_load(path.read_text())["triggers"]]


def downstream(pipeline: dict[str, Any], block: str) -> list[str]:
    return [each["uuid"] for each in pipeline["blocks"] if block in each["upstream_blocks"]]


def test_trips_are_loaded_then_cleaned_then_the_branches_part(pipeline: dict[str, Any]) -> None:
    assert downstream(pipeline, "load_trips") == ["clean_trips"]
    assert downstream(pipeline, "clean_trips") == [TRAINING[0], DRIFT[0], TRUTH[0]]


@pytest.mark.parametrize("branch", [TRAINING, [*DRIFT, *LOOP], TRUTH])
def test_each_branch_is_a_chain(pipeline: dict[str, Any], branch: list[str]) -> None:
    for block, after in zip(branch, [*branch[1:], None], strict=True):
        assert downstream(pipeline, block) == ([after] if after else [])


def test_the_live_pipeline_is_a_chain(live: dict[str, Any]) -> None:
    assert [block["uuid"] for block in live["blocks"]] == LIVE
    for block, after in zip(LIVE, [*LIVE[1:], None], strict=True):
        assert downstream(live, block) == ([after] if after else [])


@pytest.mark.parametrize("name", PIPELINES)
def test_both_directions_of_the_graph_agree(
    pipelines: dict[str, dict[str, Any]], name: str
) -> None:
    for block in pipelines[name]["blocks"]:
        assert block["downstream_blocks"] == downstream(pipelines[name], block["uuid"])


def test_conditionals_guard_the_training_branch_and_the_retraining(
    pipeline: dict[str, Any],
) -> None:
    guarded = {each["uuid"]: each["upstream_blocks"] for each in pipeline["conditionals"]}
    assert guarded == {"enough_trips": TRAINING[:1], "retraining_wanted": LOOP[-1:]}


@pytest.mark.parametrize("name", PIPELINES)
def test_the_callback_hears_of_every_block(pipelines: dict[str, dict[str, Any]], name: str) -> None:
    [callback] = pipelines[name]["callbacks"]
    assert callback["upstream_blocks"] == [block["uuid"] for block in pipelines[name]["blocks"]]


@pytest.mark.parametrize("name", PIPELINES)
def test_one_run_at_a_time_in_one_process(pipelines: dict[str, dict[str, Any]], name: str) -> None:
    pipeline = pipelines[name]
    assert pipeline["run_pipeline_in_one_process"] is True
    assert pipeline["cache_block_output_in_memory"] is False
    assert set(pipeline["concurrency_config"].values()) == {1}


def test_a_person_sees_every_variable_and_all_are_empty(
    pipeline: dict[str, Any], live: dict[str, Any]
) -> None:
    from taxi_duration.pipeline.live import LiveVariables
    from taxi_duration.pipeline.variables import RunVariables

    for described, variables in ((pipeline, RunVariables), (live, LiveVariables)):
        names = set(variables.__struct_fields__) - {"execution_date"}
        assert described["variables"] == dict.fromkeys(names, "")


def test_each_pipeline_has_its_schedule_and_an_api_trigger(triggers: list[dict[str, Any]]) -> None:
    kinds = {(t["pipeline_uuid"], t["name"]): t["schedule_interval"] for t in triggers}
    assert kinds == {
        ("taxi_duration", "monthly"): "@monthly",
        ("taxi_duration", "api"): None,
        ("live_monitoring", "hourly"): "@hourly",
        ("live_monitoring", "api"): None,
    }
    for trigger in triggers:
        assert trigger["schedule_type"] == ("time" if trigger["schedule_interval"] else "api")
    assert {trigger["status"] for trigger in triggers} == {"active"}


def test_no_trigger_has_its_token_in_the_repository(triggers: list[dict[str, Any]]) -> None:
    assert {trigger["token"] for trigger in triggers} == {None}


def test_mage_finds_no_reason_to_write_triggers_again(triggers: list[dict[str, Any]]) -> None:
    # An active trigger without this time gets it, in the file.
    assert all(trigger["last_enabled_at"] for trigger in triggers)


def test_mage_sends_nothing_home_and_keeps_its_data_elsewhere(project: Path) -> None:
    text = (project / "metadata.yaml").read_text()
    described = yaml.safe_load(text)
    assert described["help_improve_mage"] is False
    assert "env_var('MAGE_VARIABLES_DIR')" in described["variables_dir"]


def test_a_read_only_project_will_do(project: Path) -> None:
    # The one file that Mage makes at every start, where it is not there.
    assert (project / ".ssh_tunnel" / "aws_emr.json").read_text() == "{}\n"


def test_the_project_folder_is_no_package_that_hides_the_real_one(project: Path) -> None:
    assert not (project / "__init__.py").exists()


def test_every_block_has_its_file_and_every_file_its_block(
    project: Path, pipelines: dict[str, dict[str, Any]]
) -> None:
    kinds = ("blocks", "conditionals", "callbacks")
    blocks = [block for each in pipelines.values() for kind in kinds for block in each[kind]]
    named = {project / FOLDERS[block["type"]] / f"{block['uuid']}.py" for block in blocks}
    assert named == {p for f in FOLDERS.values() for p in (project / f).glob("[!_]*.py")}


def block_files() -> list[Path]:
    folder = Path(__file__).parents[2] / "orchestration" / "taxi_duration"
    return sorted(path for name in FOLDERS.values() for path in (folder / name).glob("[!_]*.py"))


@pytest.mark.parametrize("path", block_files(), ids=lambda path: str(path.stem))
def test_a_block_is_wiring_of_a_few_lines(path: Path) -> None:
    functions = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)]
    assert all(n.end_lineno and n.end_lineno - n.lineno < 10 for n in functions)
    imported = set(re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
    assert imported <= {"taxi_duration", "pathlib"}


@pytest.mark.parametrize("path", block_files(), ids=lambda path: str(path.stem))
def test_a_block_that_works_says_what_it_does_and_checks_it(path: Path) -> None:
    functions = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)]
    names = [ast.unparse(n.decorator_list[0]) for n in functions]
    assert all(
        ast.get_docstring(n) for n, name in zip(functions, names, strict=True) if name != "test"
    )
    assert ("test" in names) == (path.parent.name not in {"callbacks", "conditionals"})
