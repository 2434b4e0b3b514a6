"""What AWS answers and moto does not: the answers are botocore's, checked against AWS's own API."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from moto_parts import aws
from taxi_duration.errors import DeliveryError, SettingsError
from taxi_duration.pipeline.lambda_function import ALIAS, LambdaFunction, Live
from taxi_duration.settings import load_settings

NAME = "taxi-duration"


@pytest.fixture
def client() -> Any:
    return aws("http://127.0.0.1:9", "lambda")


@pytest.fixture
def answers(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def function(client: Any) -> LambdaFunction:
    return LambdaFunction(client, NAME)


def test_an_alias_that_somebody_else_moved_meanwhile_is_left_alone(
    function: LambdaFunction, answers: Stubber
) -> None:
    answers.add_client_error(
        "update_alias",
        "PreconditionFailedException",
        "The RevisionId provided does not match the latest RevisionId.",
        http_status_code=412,
        expected_params={
            "FunctionName": NAME,
            "Name": ALIAS,
            "FunctionVersion": "8",
            "Description": "Former function versions: 7, 5",
            "RoutingConfig": {"AdditionalVersionWeights": {}},
            "RevisionId": "seen",
        },
    )
    with pytest.raises(DeliveryError, match=r"moving the alias live failed: .*RevisionId"):
        function.move(Live("7", ("5",), "seen"), "8", ("7", "5"))


def test_a_description_has_room_for_the_versions_that_an_alias_keeps(
    function: LambdaFunction, answers: Stubber
) -> None:
    many = tuple(str(number) for number in range(99_999, 99_900, -1))
    kept = f"Former function versions: {', '.join(many[:20])}"
    assert len(kept) <= 256
    found = {"FunctionVersion": "100000", "RevisionId": "seen", "Description": kept}
    answers.add_response(
        "create_alias",
        found,
        {"FunctionName": NAME, "Name": ALIAS, "FunctionVersion": "100000", "Description": kept},
    )
    function.move(None, "100000", many)
    answers.add_response("get_alias", found)
    live = function.live()
    assert live is not None
    assert live.formers == many[:20]


@pytest.mark.parametrize("description", ["", "What the API asks"])
def test_an_alias_that_was_made_otherwise_has_no_way_back(
    function: LambdaFunction, answers: Stubber, description: str
) -> None:
    found = {"FunctionVersion": "7", "RevisionId": "seen", "Description": description}
    answers.add_response("get_alias", found)
    assert function.live() == Live("7", (), "seen")


def test_an_invocation_that_fails_tells_the_functions_own_error(
    function: LambdaFunction, answers: Stubber
) -> None:
    said = json.dumps({"errorType": "DamagedModelError", "errorMessage": "Its hash is wrong."})
    payload = StreamingBody(io.BytesIO(said.encode()), len(said))
    answers.add_response(
        "invoke", {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}
    )
    with pytest.raises(DeliveryError, match=r"Version 8 of .* failed: Its hash is wrong\."):
        function.invoke("8", {})


def test_a_configuration_that_aws_gives_up_tells_why(
    function: LambdaFunction, answers: Stubber
) -> None:
    gone = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "The image does not exist."}
    answers.add_response("get_function", {"Configuration": gone})
    with pytest.raises(DeliveryError, match=r"The image does not exist\."):
        function.set_model_folder("s3://models/lambda/taxi-duration/8")


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="TAXI_LAMBDA_FUNCTION"):
        LambdaFunction.from_settings(load_settings(lambda_function=None))
