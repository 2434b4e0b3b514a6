"""A function is released with its new image where it has a model, as moto keeps it."""

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from delivery.errors import DeliveryError
from delivery.function import release

OUTPUTS = {"lambda_function": "taxi", "lambda_url": "https://f.example.com", "bucket": "trips"}
FINE = (
    sys.executable,
    "-c",
    "import os; assert os.environ['TAXI_LAMBDA_FUNCTION'] == 'taxi'"
    "; assert os.environ['TAXI_S3_BUCKET'] == 'trips'",
)
FAILS = (sys.executable, "-c", "raise SystemExit(1)")


@pytest.fixture
def make_function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], Any]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")

    def make(variables: dict[str, str]) -> Any:
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        role = boto3.client("iam").create_role(RoleName="f", AssumeRolePolicyDocument=trust)
        with zipfile.ZipFile(code := io.BytesIO(), "w") as file:
            file.writestr("f.py", "")
        return boto3.client("lambda").create_function(
            FunctionName="taxi",
            Role=role["Role"]["Arn"],
            Code={"ZipFile": code.getvalue()},
            Runtime="python3.11",
            Handler="f.f",
            Environment={"Variables": variables},
        )

    with mock_aws():
        yield make


def test_without_a_function_nothing_is_released() -> None:
    assert release({"lambda_function": None}, FAILS) is None


def test_a_function_without_a_model_waits_for_its_first(
    make_function: Callable[[dict[str, str]], Any],
) -> None:
    make_function({"TAXI_HOME": "/tmp/taxi"})  # noqa: S108  as the function has it
    assert release(OUTPUTS, FAILS) is None


def test_a_function_with_a_model_is_released_and_its_address_told(
    make_function: Callable[[dict[str, str]], Any],
) -> None:
    make_function({"TAXI_MODEL_FOLDER": "s3://trips/lambda/model/3/"})
    assert release(OUTPUTS, FINE) == "https://f.example.com"


def test_a_function_that_does_not_answer_with_the_image_is_a_failure(
    make_function: Callable[[dict[str, str]], Any],
) -> None:
    make_function({"TAXI_MODEL_FOLDER": "s3://trips/lambda/model/3/"})
    with pytest.raises(DeliveryError, match="taxi does not answer with the new image"):
        release(OUTPUTS, FAILS)
