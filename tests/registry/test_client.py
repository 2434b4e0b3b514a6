"""Whom MLflow's failures are blamed on, with a server that fails as MLflow does without its S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.artifacts import download_artifacts
from pydantic import SecretStr

from ill_s3 import refusing_server
from mage_parts import free_port
from moto_parts import moto_server
from taxi_duration.errors import RegistryError
from taxi_duration.registry.client import client, prepare, registry_errors
from taxi_duration.settings import Settings, load_settings
from taxi_duration.storage import Storage

pytestmark = pytest.mark.usefixtures("quick_retries")


@pytest.fixture
def settings() -> Iterator[Settings]:
    """An MLflow server that answers 500 to everything, and an S3 server that does not run."""
    with refusing_server(500) as (mlflow, _):
        yield load_settings(
            mlflow_url=mlflow,
            s3_endpoint=f"http://127.0.0.1:{free_port()}",
            s3_bucket="trips",
            s3_access_key_id="key",
            s3_secret_access_key=SecretStr("secret"),
        )


def remedy(settings: Settings, folder: Path) -> str:
    """What is advised where a model's files cannot be fetched."""
    prepare(settings)
    with (
        pytest.raises(RegistryError, match=settings.mlflow_url) as caught,
        registry_errors(settings),
    ):
        download_artifacts(
            artifact_uri="mlflow-artifacts:/1/models/m/artifacts",
            dst_path=str(folder),
            tracking_uri=settings.mlflow_url,
        )
    return caught.value.remedy


def test_artifacts_that_fail_while_s3_does_not_answer_are_blamed_on_s3(
    settings: Settings, tmp_path: Path
) -> None:
    told = remedy(settings, tmp_path)
    assert f"The bucket trips at {settings.s3_endpoint} cannot be used" in told


def test_artifacts_that_fail_while_s3_answers_are_not(settings: Settings, tmp_path: Path) -> None:
    with moto_server() as url:
        well = settings.model_copy(update={"s3_endpoint": url})
        Storage.from_settings(well).client.create_bucket(Bucket="trips")
        assert remedy(well, tmp_path) == "See whether it runs: `taxi status`."


def test_what_needs_no_artifact_is_not_blamed_on_s3(settings: Settings) -> None:
    with pytest.raises(RegistryError) as caught, registry_errors(settings):
        client(settings).get_run("a-run")
    assert caught.value.remedy == "See whether it runs: `taxi status`."
