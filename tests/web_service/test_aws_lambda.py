"""The handler, with events of the shapes that AWS sends; `lambda_events` has one of each."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from prometheus_client import REGISTRY

from duration_service import aws_lambda
from duration_service.aws_lambda import lambda_handler
from taxi_duration.contract import ModelVersion
from taxi_duration.errors import ModelError, SettingsError
from taxi_duration.settings import Settings

EVENTS = Path(__file__).parent / "lambda_events"
SHAPES = sorted(path.stem for path in EVENTS.glob("*.json"))
# REST APIs name their stage beside the path, HTTP APIs in it.
BELOW_A_STAGE = ["http-api-1.0-stage", "http-api-stage", "rest-api"]
WITHOUT = ["function-url", "http-api", "load-balancer"]
SHAPES_AND_PREFIXES = [(one, "/prod") for one in BELOW_A_STAGE] + [(one, "") for one in WITHOUT]


def event(shape: str, **changes: Any) -> dict[str, Any]:
    return {**json.loads((EVENTS / f"{shape}.json").read_text()), **changes}


def asked(shape: str, path: str, stage: str = "prod", **changes: Any) -> dict[str, Any]:
    """The event of that shape for what a browser knows as `path`."""
    sent = event(shape, **changes)
    context = sent["requestContext"]
    if "stage" in context:
        context["stage"] = stage if shape in BELOW_A_STAGE else "$default"
    if sent.get("version") == "2.0":
        sent["rawPath"] = context["http"]["path"] = path
        context["http"]["method"] = sent.pop("httpMethod", "POST")
    else:
        sent["path"] = path.removeprefix(f"/{stage}") or "/" if shape == "rest-api" else path
        context["path"] = path
    return sent


def got(shape: str, path: str, stage: str = "prod") -> dict[str, Any]:
    return lambda_handler(asked(shape, path, stage, httpMethod="GET", body=None), None)


def header(answer: dict[str, Any], name: str) -> str:
    headers = answer.get("multiValueHeaders") or answer["headers"]
    (values,) = [value for key, value in headers.items() if key.lower() == name]
    return "".join(values)


@pytest.fixture
def folder(tmp_path: Path, machine: Callable[..., Settings], champion: ModelVersion) -> Path:
    """A model as a machine that served it has kept it."""
    return machine(tmp_path).home / "service" / "models" / champion.version


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> Iterator[Path]:
    """The environment of a function whose image has the model."""
    monkeypatch.setenv("TAXI_MODEL_FOLDER", str(folder))
    monkeypatch.setenv("TAXI_HOME", str(tmp_path / "home"))
    aws_lambda._service.cache_clear()
    yield folder
    aws_lambda._service.cache_clear()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_trip_is_answered_whatever_the_event_comes_from(
    image: Path, champion: ModelVersion, shape: str
) -> None:
    answer = lambda_handler(event(shape), None)
    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    prediction = json.loads(answer["body"])
    assert prediction["model_version"] == champion.version
    assert prediction["trip_id"] == "né"
    assert 0 < prediction["lower"] <= prediction["prediction"] <= prediction["upper"]


def test_all_shapes_get_the_same_answer(image: Path) -> None:
    assert len({lambda_handler(event(shape), None)["body"] for shape in SHAPES}) == 1


def test_headers_come_in_the_form_of_the_events_version(image: Path) -> None:
    first, second = (lambda_handler(event(shape), None) for shape in ("rest-api", "http-api"))
    assert first["multiValueHeaders"]["Content-Type"] == ["application/json"]
    assert second["headers"]["content-type"] == "application/json"


@pytest.mark.parametrize("shape", ["rest-api", "http-api"])
@pytest.mark.parametrize(
    ("body", "status"), [('{"pickup_community_area": 99}', 422), ("{", 400), (None, 400)]
)
def test_a_wrong_request_gets_its_problem(
    image: Path, shape: str, body: str | None, status: int
) -> None:
    answer = lambda_handler(event(shape, body=body), None)
    assert answer["statusCode"] == status
    assert answer["isBase64Encoded"] is False
    assert json.loads(answer["body"])["status"] == status


def test_the_other_pages_are_there_and_say_that_nobody_asks_a_registry(image: Path) -> None:
    answers = {
        page: lambda_handler(event("rest-api", path=page, httpMethod="GET", body=None), None)
        for page in ("/health", "/ready", "/model", "/metrics", "/predict/none")
    }
    assert [answer["statusCode"] for answer in answers.values()] == [200, 200, 200, 200, 404]
    ready = json.loads(answers["/ready"]["body"])
    assert ready["loaded_from"] == "disk"
    assert ready["registry"] == {"answers": None, "checked_at": None, "error": None}


@pytest.mark.parametrize(("shape", "prefix"), SHAPES_AND_PREFIXES)
def test_all_that_a_page_needs_is_where_it_says_also_below_a_stage(
    image: Path, shape: str, prefix: str
) -> None:
    for start in {f"{prefix}/", prefix or "/", f"{prefix}/monitoring", f"{prefix}/docs/"}:
        html = got(shape, start)["body"]
        named = set(re.findall(r'\s(?:href|src)="([^"#?:]+)"', html))
        found = {urljoin(start, path) for path in named}
        assert len(found) > 3
        for path in found:
            answer = got(shape, path)
            # The figures need a database.
            expected = 503 if path.startswith(f"{prefix}/monitoring") else 200
            assert (path, answer["statusCode"]) == (path, expected)
            assert path.startswith(f"{prefix}/")


@pytest.mark.parametrize(("shape", "prefix"), SHAPES_AND_PREFIXES)
def test_the_description_of_the_api_names_its_server_below_a_stage_too(
    image: Path, shape: str, prefix: str
) -> None:
    at = f"https://example.org{prefix}/openapi.json"
    described = json.loads(got(shape, f"{prefix}/openapi.json")["body"])
    (server,) = described["servers"]
    assert urljoin(at, server["url"]) == f"https://example.org{prefix}/"
    assert '"url": "../openapi.json"' in got(shape, f"{prefix}/docs/")["body"]
    moved = got(shape, f"{prefix}/docs")
    assert header(moved, "location").endswith(f"{prefix}/docs/")


@pytest.mark.parametrize("shape", BELOW_A_STAGE)
@pytest.mark.parametrize("stage", ["predict", "model"])
def test_a_stage_may_be_named_as_a_path_of_the_service(image: Path, shape: str, stage: str) -> None:
    answer = lambda_handler(asked(shape, f"/{stage}/predict", stage), None)
    assert answer["statusCode"] == 200
    assert "run_id" in json.loads(got(shape, f"/{stage}/model", stage)["body"])
    assert header(got(shape, f"/{stage}", stage), "content-type").startswith("text/html")


@pytest.mark.parametrize("shape", WITHOUT)
def test_an_empty_path_is_the_first_page(image: Path, shape: str) -> None:
    assert header(got(shape, ""), "content-type").startswith("text/html")


def test_what_was_predicted_counts_before_the_process_is_frozen(
    image: Path, champion: ModelVersion
) -> None:
    labels = {"model_version": champion.version}
    before = REGISTRY.get_sample_value("taxi_predictions_total", labels) or 0
    lambda_handler(event("http-api"), None)
    assert REGISTRY.get_sample_value("taxi_predictions_total", labels) == before + 1


def test_without_a_model_in_the_image_the_start_says_what_is_missing(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TAXI_MODEL_FOLDER")
    with pytest.raises(SettingsError, match="TAXI_MODEL_FOLDER"):
        lambda_handler(event("http-api"), None)


def test_a_model_that_does_not_say_its_version_or_is_damaged_is_refused(image: Path) -> None:
    (image / "champion.json").rename(image / "else.json")
    with pytest.raises(ModelError, match=r"champion\.json"):
        lambda_handler(event("http-api"), None)
    (image / "else.json").rename(image / "champion.json")
    (image / "model.json").write_text("{}")
    with pytest.raises(ModelError):
        lambda_handler(event("http-api"), None)


@pytest.mark.slow
def test_a_function_starts_with_its_model_and_without_a_thread_or_a_file_of_its_own(
    folder: Path, tmp_path: Path
) -> None:
    program = (
        "import json, threading\n"
        "from duration_service import aws_lambda\n"
        "assert aws_lambda._service.cache_info().currsize == 1\n"
        f"event = json.load(open({str(EVENTS / 'http-api.json')!r}))\n"
        "assert aws_lambda.lambda_handler(event, None)['statusCode'] == 200\n"
        "print([thread.name for thread in threading.enumerate()])\n"
    )
    home = tmp_path / "home"
    environment = {
        **os.environ,
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "TAXI_MODEL_FOLDER": str(folder),
        "TAXI_HOME": str(home),
        "TAXI_DATABASE_URL": "postgresql+psycopg2://nobody@127.0.0.1:9/none",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "['MainThread']", done.stderr
    assert not home.exists()
