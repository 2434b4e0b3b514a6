"""What a function version answers is compared with all golden trips of its model."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from taxi_duration.contract import ModelVersion, Prediction
from taxi_duration.errors import DeliveryError
from taxi_duration.pipeline.lambda_check import check
from taxi_duration.pipeline.lambda_function import LambdaFunction
from taxi_duration.registry.shipment import Shipped
from trips_factory import small_model

VERSION = ModelVersion("m", "3", "run-3", "simulated", [], {}, datetime(2026, 1, 1, tzinfo=UTC))


class Function:
    """Answers what the model says, changed by the test."""

    def __init__(self, answers: list[Prediction]) -> None:
        self.answers = answers

    def invoke(self, version: str, event: dict[str, Any]) -> Any:
        assert version == "7"
        assert len(json.loads(event["body"])) == len(small_model().info.golden)
        return {"statusCode": 200, "body": msgspec.json.encode(self.answers).decode()}


def answers() -> list[Prediction]:
    return [
        Prediction(a.prediction, a.lower, a.upper, "minutes", "3", "run-3", None)
        for a in (trip.answer for trip in small_model().info.golden)
    ]


def checked(given: list[Prediction]) -> None:
    check(cast("LambdaFunction", Function(given)), "7", Shipped(VERSION, small_model().info))


def test_the_models_own_answers_pass() -> None:
    assert len(answers()) > 1
    checked(answers())


def test_an_answer_that_is_missing_is_found() -> None:
    with pytest.raises(DeliveryError, match=r"gives \d+ answers to \d+ trips"):
        checked(answers()[:-1])


def test_an_answer_that_is_another_is_found() -> None:
    *right, last = answers()
    wrong = msgspec.structs.replace(last, upper=last.upper + 0.1)
    with pytest.raises(DeliveryError, match="to the golden trip"):
        checked([*right, wrong])


def test_answers_of_another_version_are_found() -> None:
    other = [msgspec.structs.replace(one, model_version="2") for one in answers()]
    with pytest.raises(DeliveryError, match="another model than version 3"):
        checked(other)
