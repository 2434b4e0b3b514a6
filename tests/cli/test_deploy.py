from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from moto_function import NAME, RealFunction, Warm, make_function
from moto_parts import KEY, REGION, SECRET, moto_server
from registered import registered, serve
from taxi_duration.cli import main
from taxi_duration.pipeline.lambda_function import LambdaFunction
from taxi_duration.settings import Settings
from taxi_duration.stack.resolved import as_environment
from training_parts import own_place


def taxi(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["deploy", "lambda", *arguments])


@pytest.fixture
def server() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def account(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The environment of somebody who may use the function."""
    monkeypatch.setenv("TAXI_HOME", str(tmp_path))
    monkeypatch.setenv("TAXI_LAMBDA_FUNCTION", NAME)
    monkeypatch.setenv("TAXI_S3_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return server


def test_without_a_function_the_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TAXI_HOME", str(tmp_path))
    result = taxi("--rollback")
    assert result.exit_code == 1
    assert "TAXI_LAMBDA_FUNCTION is not set" in result.output


def test_a_version_and_the_former_one_cannot_both_be_meant() -> None:
    assert "Only one of" in taxi("--rollback", "--version", "3").output
    assert "Only one of" in taxi("--rollback", "--keep-model").output


@pytest.mark.slow
def test_what_cannot_be_done_with_a_function_is_told_with_the_way_out(account: str) -> None:
    assert "Function not found" in taxi("--keep-model").output
    make_function(account, {})
    former = taxi("--rollback")
    assert former.exit_code == 1
    assert f"The function {NAME} has no former version." in former.output
    assert "has no model on S3" in taxi("--keep-model").output


@pytest.mark.stack
def test_a_delivery_tells_what_serves_and_the_way_back(
    backends: Settings, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = own_place(backends)
    for _ in range(2):
        registered(settings)
    serve(settings, "1")
    environment = as_environment(settings)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    make_function(server, {n: v for n, v in environment.items() if n.startswith("TAXI_S3")})
    warm = Warm(tmp_path)
    function = RealFunction(server, warm)
    monkeypatch.setattr(LambdaFunction, "from_settings", lambda settings: function)
    try:
        first, second, back = taxi(), taxi("--version", "2"), taxi("--rollback")
    finally:
        warm.close()
    model, folder = settings.model_name, f"s3://{settings.s3_bucket}/lambda/{settings.model_name}"
    assert first.output == f"Version 1 of {model} serves in {NAME}: function version 1.\n"
    assert second.output == (
        f"Version 2 of {model} serves in {NAME}: function version 2, instead of 1 ({folder}/1).\n"
        "The way back: taxi deploy lambda --rollback\n"
    )
    assert back.output == (
        f"Version 1 of {model} serves in {NAME}: function version 1, instead of 2 ({folder}/2).\n"
    )
