"""The smoke test passes for the service, and fails for what only looks like it."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from flask import Flask, Response, request

from duration_service import create_app
from in_thread import serving_app
from kept_model import keep
from lambda_runtime import RuntimeApi, running_function
from taxi_duration.settings import load_settings

pytestmark = pytest.mark.stack


def smoke(root: Path, url: str) -> subprocess.CompletedProcess[str]:
    """What `make smoke URL=…` does."""
    command = [sys.executable, "-m", "pytest", "tests/smoke", "--base-url", url, "-q"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def failed(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The tests that failed."""
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return {line.split("::")[1].split(" ")[0] for line in lines}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of made up trips, as the service keeps it."""
    return keep(tmp_path_factory.mktemp("model"))


@pytest.fixture
def app(folder: Path, tmp_path: Path) -> Flask:
    return create_app(load_settings(home=tmp_path, model_folder=str(folder)))


def without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TAXI_")}


@contextmanager
def gunicorn(root: Path, home: Path, **environment: str) -> Iterator[str]:
    """The address of the service under gunicorn."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "-c", str(root / "web-service/gunicorn.conf.py")]
    process = subprocess.Popen(
        [*command, "duration_service:create_app()"],
        env={
            **without_settings(),
            "TAXI_HOME": str(home),
            "TAXI_SERVICE_PORT": str(port),
            "TAXI_MLFLOW_URL": "http://127.0.0.1:9",
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with suppress(httpx.TransportError):
                if httpx.get(f"{url}/health").is_success:
                    break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=40)


def http_api(function: RuntimeApi) -> Flask:
    """What API Gateway's HTTP API does for a function: requests to events and back."""
    app = Flask(__name__)

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def call(path: str) -> Response:
        http = {
            "method": request.method,
            "path": f"/{path}",
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.7",
        }
        answer = function.invoke(
            {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": f"/{path}",
                "rawQueryString": request.query_string.decode(),
                "headers": {name.lower(): value for name, value in request.headers},
                "requestContext": {"http": http, "stage": "$default"},
                "body": base64.b64encode(request.get_data()).decode(),
                "isBase64Encoded": True,
            }
        )
        encoded = answer["isBase64Encoded"]
        body = base64.b64decode(answer["body"]) if encoded else answer["body"]
        return Response(body, answer["statusCode"], answer["headers"])

    return app


def test_it_passes_for_the_service_under_gunicorn(root: Path, folder: Path, tmp_path: Path) -> None:
    with gunicorn(root, tmp_path, TAXI_MODEL_FOLDER=str(folder)) as url:
        done = smoke(root, url)
    assert done.returncode == 0, done.stdout


def test_it_passes_for_the_function_behind_an_http_api(
    root: Path, folder: Path, tmp_path: Path
) -> None:
    environment = {"TAXI_MODEL_FOLDER": str(folder), "TAXI_HOME": str(tmp_path)}
    with (
        running_function(environment, tmp_path / "log") as function,
        serving_app(http_api(function), threaded=False) as url,
    ):
        done = smoke(root, url)
    assert done.returncode == 0, done.stdout


def test_it_fails_for_a_service_without_a_model(root: Path, tmp_path: Path) -> None:
    with gunicorn(root, tmp_path) as url:
        done = smoke(root, url)
    assert done.returncode == 1, done.stdout
    # The process lives, says what is wrong with a request, and counts.
    assert failed(done) == {
        "test_it_is_ready_with_a_model_and_has_refused_none",
        "test_the_model_says_which_version_it_is_and_what_it_was_trained_on",
        "test_a_trip_gets_a_duration_that_can_be",
        "test_a_list_is_answered_in_its_order_with_what_each_trip_gets_alone",
        "test_a_prediction_does_not_take_long",
    }


def test_it_fails_for_a_service_that_answers_wrong(root: Path, app: Flask) -> None:
    @app.after_request
    def spoil(response: Response) -> Response:
        if request.path == "/predict" and response.is_json and response.status_code == 200:
            answers = response.get_json()
            if isinstance(answers, list):
                answers.reverse()
            else:
                answers["prediction"] /= 60
            response.set_data(json.dumps(answers))
        return response

    with serving_app(app) as url:
        done = smoke(root, url)
    assert failed(done) == {
        "test_a_trip_gets_a_duration_that_can_be",
        "test_a_list_is_answered_in_its_order_with_what_each_trip_gets_alone",
    }


def test_it_fails_for_a_page_that_answers_everything_and_where_nobody_answers(root: Path) -> None:
    page = Flask(__name__)
    page.errorhandler(404)(lambda _: ("<h1>Welcome!</h1>", 200))
    with serving_app(page) as url:
        done = smoke(root, url)
    assert done.returncode == 1
    assert " passed" not in done.stdout
    nobody = smoke(root, url)
    assert nobody.returncode == 1
    assert "Connection refused" in nobody.stdout


def test_without_an_address_it_says_what_is_missing_and_the_other_tests_leave_it_out(
    root: Path,
) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    asked = subprocess.run(
        [*command, "tests/smoke"], cwd=root, capture_output=True, text=True, check=False
    )
    assert asked.returncode != 0
    assert "make smoke URL=" in asked.stdout + asked.stderr
    # All else is left out here, so that nothing is left to collect.
    others = [f"--ignore={path}" for path in (root / "tests").iterdir() if path.name != "smoke"]
    plain = subprocess.run(
        [*command, "--collect-only", *others], cwd=root, capture_output=True, text=True, check=False
    )
    assert plain.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, plain.stdout
