"""The function as AWS runs it: its runtime client in a process, which asks for events over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambda_runtime import FunctionFailedError, running_function
from taxi_duration.contract import ModelVersion
from taxi_duration.settings import Settings

pytestmark = pytest.mark.slow

EVENTS = Path(__file__).parent / "lambda_events"


def event(shape: str, **changes: Any) -> dict[str, Any]:
    return {**json.loads((EVENTS / f"{shape}.json").read_text()), **changes}


@pytest.fixture
def folder(tmp_path: Path, machine: Callable[..., Settings], champion: ModelVersion) -> Path:
    """A model as a machine that served it has kept it."""
    return machine(tmp_path).home / "service" / "models" / champion.version


def test_one_process_answers_one_event_after_the_other(
    folder: Path, tmp_path: Path, champion: ModelVersion
) -> None:
    with running_function({"TAXI_MODEL_FOLDER": str(folder)}, tmp_path / "log") as function:
        answers = [function.invoke(event(shape)) for shape in ("http-api", "rest-api", "http-api")]
        refused = function.invoke(event("http-api", body='{"pickup_community_area": 99}'))
        page = function.invoke(event("rest-api", path="/model", httpMethod="GET", body=None))
    assert [answer["statusCode"] for answer in answers] == [200, 200, 200]
    predictions = [json.loads(answer["body"]) for answer in answers]
    assert predictions[0] == predictions[1] == predictions[2]
    assert predictions[0]["model_version"] == champion.version
    assert predictions[0]["trip_id"] == "né"
    assert 1 < predictions[0]["lower"] < predictions[0]["prediction"] < predictions[0]["upper"]
    assert refused["statusCode"] == 422
    assert json.loads(page["body"])["run_id"] == champion.run_id


def test_what_is_no_event_fails_by_itself_and_the_next_one_is_answered(
    folder: Path, tmp_path: Path
) -> None:
    with running_function({"TAXI_MODEL_FOLDER": str(folder)}, tmp_path / "log") as function:
        with pytest.raises(FunctionFailedError, match="/invocation/"):
            function.invoke({"version": "2.0"})
        assert function.invoke(event("http-api"))["statusCode"] == 200


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ("hash", r"DamagedModelError: .*lower\.txt is not the file that was saved: its hash"),
        ("golden", r"DamagedModelError: The model answers .* to its golden trip"),
        ("record", r"ModelError: .*champion\.json, which says which version this is"),
        ("setting", "SettingsError: TAXI_MODEL_FOLDER is not set"),
    ],
)
def test_a_model_that_cannot_be_used_is_an_error_of_the_start_with_its_cause(
    folder: Path, tmp_path: Path, broken: str, cause: str
) -> None:
    environment = {"TAXI_MODEL_FOLDER": str(folder)}
    if broken == "hash":
        with (folder / "lower.txt").open("a") as file:
            file.write("\n")
    elif broken == "golden":
        described = json.loads((folder / "model.json").read_text())
        described["info"]["golden"][0]["answer"]["prediction"] += 1
        (folder / "model.json").write_text(json.dumps(described))
    elif broken == "record":
        (folder / "champion.json").unlink()
    else:
        environment = {}
    with running_function(environment, tmp_path / "log") as function:
        with pytest.raises(FunctionFailedError, match=cause) as failed:
            function.invoke(event("http-api"))
        assert failed.value.where == "/init/error"
        assert function.asked == 0
