"""Models brought to the function: MLflow, S3 and the function are real, moto keeps its versions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moto_function import NAME, RealFunction, Warm, make_function
from moto_parts import aws, moto_server
from registered import registered, serve
from taxi_duration.errors import DamagedModelError, DeliveryError, NoModelError, RegistryError
from taxi_duration.model.duration_model import INFO_FILE
from taxi_duration.pipeline.delivery import deliver, release_image, take_back
from taxi_duration.pipeline.lambda_function import LATEST, MODEL_FOLDER
from taxi_duration.registry.champion import RECORD
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from training_parts import own_place
from trips_factory import model_for_other_features

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    """A registered model of its own with three versions, of which the second serves."""
    own = own_place(backends)
    for _ in range(3):
        registered(own)
    serve(own, "2")
    return own


@pytest.fixture
def server(settings: Settings) -> Iterator[str]:
    """A server with the function, which may read the bucket."""
    secret = settings.s3_secret_access_key
    assert secret is not None
    assert settings.s3_endpoint is not None
    assert settings.s3_access_key_id is not None
    environment = {
        "TAXI_S3_ENDPOINT": settings.s3_endpoint,
        "TAXI_S3_ACCESS_KEY_ID": settings.s3_access_key_id,
        "TAXI_S3_SECRET_ACCESS_KEY": secret.get_secret_value(),
        "TAXI_HOME": "/nowhere",
    }
    with moto_server() as url:
        make_function(url, environment)
        yield url


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    processes = Warm(tmp_path_factory.mktemp("functions"))
    yield processes
    processes.close()


@pytest.fixture
def function(server: str, warm: Warm) -> RealFunction:
    return RealFunction(server, warm)


def alias(function: RealFunction) -> tuple[str, tuple[str, ...]] | None:
    """The function version that callers get, and those that it can go back to."""
    live = function.live()
    return (live.version, live.formers) if live else None


def uri(settings: Settings, version: str) -> str:
    return f"s3://{settings.s3_bucket}/lambda/{settings.model_name}/{version}"


def test_the_champion_is_brought_checked_and_given_to_the_callers(
    settings: Settings, function: RealFunction
) -> None:
    done = deliver(settings, function)
    assert (done.model.version, done.version, done.former) == ("2", "1", None)
    assert function.invoked == ["1"]
    assert alias(function) == ("1", ())
    assert function.model_folder("1") == uri(settings, "2")
    assert function._variables("1")["TAXI_HOME"] == "/nowhere"


def test_another_version_takes_its_place_and_the_former_one_comes_back_and_the_one_before_it(
    settings: Settings, function: RealFunction
) -> None:
    for number in ("1", "2", "3"):
        done = deliver(settings, function, number)
    assert (done.former, done.former_model) == ("2", uri(settings, "2"))
    assert alias(function) == ("3", ("2", "1"))
    back = take_back(settings, function)
    assert (back.model.version, back.version, back.former) == ("2", "2", "3")
    assert alias(function) == ("2", ("1",))
    assert function.model_folder(LATEST) == uri(settings, "2")
    assert take_back(settings, function).model.version == "1"
    with pytest.raises(DeliveryError, match="has no former version"):
        take_back(settings, function)
    # What was rolled back from is no way back.
    deliver(settings, function, "3")
    assert alias(function) == ("4", ("1",))


def test_a_version_that_serves_is_not_brought_twice(
    settings: Settings, function: RealFunction
) -> None:
    # moto takes the first one that is published for a change of what comes after it.
    for _ in range(2):
        deliver(settings, function, "1")
    again = deliver(settings, function, "1")
    assert (again.version, again.former) == ("2", "2")
    assert alias(function) == ("2", ("1",))


def test_a_new_image_is_released_with_the_model_that_serves(
    settings: Settings, function: RealFunction, server: str
) -> None:
    with pytest.raises(DeliveryError, match="has no model on S3"):
        release_image(settings, function)
    deliver(settings, function, "1")
    image = f"123456789012.dkr.ecr.us-east-2.amazonaws.com/lambda@sha256:{'2' * 64}"
    aws(server, "lambda").update_function_code(FunctionName=NAME, ImageUri=image)
    done = release_image(settings, function)
    assert (done.model.version, done.version, done.former) == ("1", "2", "1")
    assert alias(function) == ("2", ("1",))


def test_an_image_is_released_with_a_model_that_its_code_can_load_and_this_code_cannot(
    settings: Settings, function: RealFunction, server: str, tmp_path: Path
) -> None:
    deliver(settings, function, "1")
    model_for_other_features().save(tmp_path)
    storage = Storage.from_settings(settings)
    storage.put(
        storage.key(f"{uri(settings, '1')}/{INFO_FILE}"), (tmp_path / INFO_FILE).read_bytes()
    )
    image = f"123456789012.dkr.ecr.us-east-2.amazonaws.com/lambda@sha256:{'3' * 64}"
    aws(server, "lambda").update_function_code(FunctionName=NAME, ImageUri=image)
    # The process that answers has loaded its model before, as one of a former image could.
    assert release_image(settings, function).version == "2"
    assert alias(function) == ("2", ("1",))
    deliver(settings, function, "1")


def test_a_function_that_does_not_answer_rightly_gets_no_callers(
    settings: Settings, function: RealFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(settings, function, "1")
    wrong = {"statusCode": 200, "body": "[]"}
    monkeypatch.setattr(function, "invoke", lambda version, event: wrong)
    with pytest.raises(DeliveryError, match="does not pass its check"):
        deliver(settings, function, "3")
    assert alias(function) == ("1", ())
    assert function.model_folder(LATEST) == uri(settings, "1")


def test_a_function_that_cannot_read_the_model_gets_no_callers_and_the_cause_is_told(
    settings: Settings, function: RealFunction, server: str
) -> None:
    deliver(settings, function, "1")
    variables = function._variables(LATEST) | {"TAXI_S3_SECRET_ACCESS_KEY": "wrong"}
    aws(server, "lambda").update_function_configuration(
        FunctionName=NAME, Environment={"Variables": variables}
    )
    with pytest.raises(DeliveryError, match=r"cannot be fetched.*SignatureDoesNotMatch"):
        deliver(settings, function, "3")
    assert alias(function) == ("1", ())
    assert function.model_folder(LATEST) == uri(settings, "1")


@pytest.mark.parametrize(
    "step", ["set_model_folder", "publish", "move"], ids=["configure", "publish", "move"]
)
def test_a_step_that_aws_refuses_leaves_callers_and_configuration_as_they_were(
    settings: Settings, function: RealFunction, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    deliver(settings, function, "1")
    real, calls = getattr(function, step), []

    def refused_once(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise DeliveryError("AWS refuses.")
        return real(*arguments)

    monkeypatch.setattr(function, step, refused_once)
    with pytest.raises(DeliveryError, match="AWS refuses"):
        deliver(settings, function, "3")
    assert alias(function) == ("1", ())
    assert function.model_folder(LATEST) == uri(settings, "1")


def test_without_such_a_version_or_function_the_cause_is_told(
    settings: Settings, function: RealFunction
) -> None:
    with pytest.raises(RegistryError, match="not found"):
        deliver(settings, function, "9")
    nobody = settings.model_copy(update={"model_name": "nobody"})
    with pytest.raises((NoModelError, RegistryError)):
        deliver(nobody, function)
    function.name = "another"
    with pytest.raises(DeliveryError, match=r"another: .*Function not found"):
        deliver(settings, function, "1")


def test_files_of_another_run_under_the_same_number_are_left_as_they_are(
    settings: Settings, function: RealFunction
) -> None:
    deliver(settings, function, "3")
    storage = Storage.from_settings(settings)
    key = storage.key(f"{uri(settings, '3')}/{RECORD}")
    record = storage.client.get_object(Bucket=storage.bucket, Key=key)["Body"].read()
    run_id = deliver(settings, function, "3").model.run_id.encode()
    other = record.replace(run_id, b"0" * len(run_id))
    storage.client.put_object(Bucket=storage.bucket, Key=key, Body=other)
    with pytest.raises(DeliveryError, match="of another run, 000"):
        deliver(settings, function, "3")
    storage.client.put_object(Bucket=storage.bucket, Key=key, Body=record)


def test_files_that_were_damaged_on_s3_are_no_way_back_but_are_mended_by_a_delivery(
    settings: Settings, function: RealFunction
) -> None:
    deliver(settings, function, "1")
    deliver(settings, function, "2")
    storage = Storage.from_settings(settings)
    key = storage.key(f"{uri(settings, '1')}/lower.txt")
    storage.client.put_object(Bucket=storage.bucket, Key=key, Body=b"damaged")
    with pytest.raises(DamagedModelError, match=f"^{uri(settings, '1')}/lower.txt"):
        take_back(settings, function)
    assert alias(function) == ("2", ("1",))
    deliver(settings, function, "1")
    assert MODEL_FOLDER in function._variables("3")
