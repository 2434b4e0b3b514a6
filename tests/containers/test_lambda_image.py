"""The Lambda image as AWS runs it: its runtime client, against a server of the runtime API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from containers.engine import Engine
from containers.times import Times
from kept_model import VERSION, keep
from lambda_runtime import FunctionFailedError, RuntimeApi
from moto_parts import KEY, REGION, SECRET, aws, moto_server

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

EVENTS = Path(__file__).parents[1] / "web_service" / "lambda_events"
TAG = "taxi-duration-test/lambda:local"
BUCKET, PREFIX = "models", "lambda/taxi-duration/3"
LARGEST_MB = 450


@pytest.fixture(scope="module")
def image(engine: Engine, root: Path, times: Times) -> str:
    """The image, built."""
    dockerfile = str(root / "web-service" / "Dockerfile")
    words = ("build", "--quiet", "--target", "lambda", "--provenance=false", "-t", TAG)
    with times.step("build lambda"):
        engine.docker(*words, "-f", dockerfile, str(root))
    return TAG


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[str]:
    """A server with a model in a bucket."""
    with moto_server() as url:
        client = aws(url, "s3")
        where = {"LocationConstraint": REGION}
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        for file in keep(tmp_path).iterdir():
            client.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{file.name}", Body=file.read_bytes())
        yield url


def event(shape: str, **changes: Any) -> dict[str, Any]:
    return {**json.loads((EVENTS / f"{shape}.json").read_text()), **changes}


@contextmanager
def function(engine: Engine, s3: str, folder: str) -> Iterator[RuntimeApi]:
    """A function as Lambda starts it: some user, nothing to write but /tmp, its role's keys."""
    with RuntimeApi() as api:
        variables = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "TAXI_S3_ENDPOINT": s3,
            "TAXI_S3_REGION": REGION,
            "TAXI_MODEL_FOLDER": folder,
        }
        told = [word for name in variables for word in ("--env", f"{name}={variables[name]}")]
        kept = ("--read-only", "--tmpfs=/tmp", "--user", "993:990", "--cap-drop", "ALL")
        limits = ("--memory", "1g", "--network", "host")
        container = engine.docker("run", "--detach", *kept, *limits, *told, TAG)
        try:
            yield api
        finally:
            engine.docker("rm", "--force", container)


def test_real_events_get_real_predictions_from_a_model_on_s3(
    engine: Engine, image: str, s3: str, times: Times
) -> None:
    with function(engine, s3, f"s3://{BUCKET}/{PREFIX}") as api:
        with times.step("lambda: from the start of the container to the first answer"):
            first = api.invoke(event("http-api"))
        others = [api.invoke(event(shape)) for shape in ("rest-api", "http-api", "function-url")]
        refused = api.invoke(event("rest-api", body='{"pickup_community_area": 99}'))
    assert [answer["statusCode"] for answer in (first, *others)] == [200] * 4
    bodies = {answer["body"] for answer in (first, *others)}
    assert len(bodies) == 1
    prediction = json.loads(bodies.pop())
    assert prediction["model_version"] == VERSION.version
    assert 1 < prediction["lower"] < prediction["prediction"] < prediction["upper"]
    assert refused["statusCode"] == 422


def test_a_model_that_is_not_there_is_an_error_of_the_start_with_its_cause(
    engine: Engine, image: str, s3: str
) -> None:
    with function(engine, s3, f"s3://{BUCKET}/elsewhere") as api:
        with pytest.raises(FunctionFailedError, match=r"ModelError: .*NoSuchKey") as failed:
            api.invoke(event("http-api"))
        assert failed.value.where == "/init/error"


def test_the_image_is_small_and_has_a_user_and_nothing_to_build_with(
    engine: Engine, image: str
) -> None:
    [found] = json.loads(engine.docker("image", "inspect", image))
    assert found["Size"] < LARGEST_MB * 1e6
    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Labels"]["org.opencontainers.image.title"] == "taxi-duration/lambda"
    script = (
        "id -u; for tool in pip pip3 uv poetry gcc cc make git curl; do command -v $tool; done;"
        " python -c 'import awslambdaric'"
    )
    words = ("run", "--rm", "--read-only", "--entrypoint", "sh", image, "-c", script)
    assert engine.docker(*words).split() == ["10001"]
