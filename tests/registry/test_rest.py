"""The calls to MLflow, against a server that answers what it is told."""

import http.server
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from in_thread import serving
from taxi_duration.contract import ModelVersion
from taxi_duration.errors import RegistryError, UnknownVersionError
from taxi_duration.registry.champion import champion, version
from taxi_duration.registry.rest import mlflow_server
from taxi_duration.settings import Settings, load_settings


class Answers(http.server.BaseHTTPRequestHandler):
    """One answer to everything, and the last request's sign-in."""

    status, body, signed = 200, b"{}", ""

    def do_GET(self) -> None:
        type(self).signed = self.headers.get("Authorization", "")
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output short."""


@pytest.fixture
def answers() -> Iterator[type[Answers]]:
    kind = type("AnswersOfThisTest", (Answers,), {})
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)) as server:
        kind.port = server.server_port  # type: ignore[attr-defined]
        yield kind


@pytest.fixture
def settings(answers: type[Answers]) -> Settings:
    port = answers.port  # type: ignore[attr-defined]
    return load_settings(mlflow_url=f"http://ada:secret@127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"<html>"),
        (503, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "busy"}'),
        (403, b"Permission denied"),
        (200, b"<html>this is another server"),
        (200, b'{"model_version": {"name": "\xff"}}'),
        (500, b'{"message": "\xff"}'),
        (200, b'{"model_version": {"name": "m"}}'),
    ],
)
def test_what_no_registry_answers_is_an_error_that_names_the_server_and_no_password(
    settings: Settings, answers: type[Answers], status: int, body: bytes
) -> None:
    answers.status, answers.body = status, body
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1") as caught:
        champion(settings)
    assert "secret" not in str(caught.value)
    assert not isinstance(caught.value, UnknownVersionError)


def test_an_alias_that_nobody_holds_is_none_and_a_version_that_is_not_there_an_error(
    settings: Settings, answers: type[Answers]
) -> None:
    answers.status = 404
    answers.body = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such thing"}'
    assert champion(settings) is None
    with pytest.raises(UnknownVersionError, match=r"no such thing.*`taxi model list`"):
        version(settings, "7")


def test_a_file_that_does_not_come_is_blamed_on_the_store_too_and_nothing_else_is(
    settings: Settings, answers: type[Answers], tmp_path: Path
) -> None:
    answers.status, answers.body = 500, b'{"message": "Read timeout\\n on endpoint."}'
    with pytest.raises(RegistryError) as caught, mlflow_server(settings) as server:
        server.download("get-artifact", {}, tmp_path / "lower.txt")
    assert "lower.txt did not come: 500 Internal Server Error Read timeout on endpoint. It" in str(
        caught.value
    )
    assert "MLflow and S3" in caught.value.remedy
    with pytest.raises(RegistryError, match=r"on endpoint\. See whether it runs") as other:
        champion(settings)
    assert "S3" not in str(other.value)


def test_a_version_is_told_by_its_tags(settings: Settings, answers: type[Answers]) -> None:
    answers.body = (
        b'{"model_version": {"name": "m", "version": "3", "creation_timestamp": 1646115164000,'
        b' "run_id": "r", "status": "READY", "tags": [{"key": "source", "value": "city"},'
        b' {"key": "months", "value": "2022-01 2022-02"}, {"key": "metric.mae", "value": "4.1"}]}}'
    )
    found = version(settings, "3")
    assert (found.source, found.months) == ("city", ["2022-01", "2022-02"])
    assert found.metrics == {"mae": 4.1}
    assert found.created_at.isoformat() == "2022-03-01T06:12:44+00:00"


def test_the_sign_in_is_the_one_that_mlflow_takes_from_the_environment(
    settings: Settings, answers: type[Answers], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.status = 404
    answers.body = b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}'
    champion(settings)
    assert answers.signed == "Basic YWRhOnNlY3JldA=="
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "eve")
    champion(settings)
    assert answers.signed == "Basic ZXZlOg=="
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "token")
    champion(settings)
    assert answers.signed == "Bearer token"


def test_the_settings_sign_in_where_the_environment_of_mlflow_says_nothing(
    settings: Settings, answers: type[Answers], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.status = 404
    answers.body = b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}'
    port = answers.port  # type: ignore[attr-defined]
    ours = load_settings(
        mlflow_url=f"http://127.0.0.1:{port}", mlflow_username="bob", mlflow_password="pass"
    )
    champion(ours)
    assert answers.signed == "Basic Ym9iOnBhc3M="
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "eve")
    champion(ours)
    assert answers.signed == "Basic ZXZlOg=="


@pytest.mark.parametrize("written", ["abc", "", "nan", "-inf", "1e999"])
def test_a_tag_that_is_no_finite_number_is_left_out_of_the_figures(
    settings: Settings, answers: type[Answers], written: str
) -> None:
    tags = [
        {"key": "metric.mae", "value": "4.1"},
        {"key": "metric.note", "value": written},
        {"key": "note", "value": "7"},
    ]
    found = {"name": "m", "version": "3", "creation_timestamp": 1, "run_id": "r", "tags": tags}
    answers.body = msgspec.json.encode({"model_version": found})
    told = champion(settings)
    assert told is not None
    assert told.metrics == {"mae": 4.1}
    assert msgspec.json.decode(msgspec.json.encode(told), type=ModelVersion) == told
