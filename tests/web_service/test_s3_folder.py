"""A model that is fetched from S3, moto's and what answers as no S3 does."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from duration_service.fixed import fixed_model
from moto_parts import KEY, REGION, SECRET, aws, moto_server
from taxi_duration.contract import ModelVersion
from taxi_duration.errors import DamagedModelError, ModelError, SettingsError
from taxi_duration.model.duration_model import MODEL_FILES
from taxi_duration.registry.champion import RECORD
from taxi_duration.settings import Settings, load_settings

pytestmark = pytest.mark.slow

BUCKET, PREFIX = "models", "lambda/taxi-duration/3"
FOLDER = f"s3://{BUCKET}/{PREFIX}"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An S3 server with a bucket."""
    with moto_server() as url:
        where = {"LocationConstraint": REGION}
        aws(url, "s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield url


@pytest.fixture
def s3(server: str, trained: Path, champion: ModelVersion) -> Any:
    """A client of a bucket with a model's folder."""
    client = aws(server, "s3")
    for name in MODEL_FILES:
        client.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{name}", Body=(trained / name).read_bytes())
    client.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{RECORD}", Body=msgspec.json.encode(champion))
    return client


@pytest.fixture
def settings(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A function's settings; its own temporary folder shows what stays."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return load_settings(
        home=tmp_path / "home",
        s3_endpoint=server,
        s3_region=REGION,
        s3_access_key_id=KEY,
        s3_secret_access_key=SECRET,
    )


@pytest.mark.parametrize("folder", [FOLDER, f"{FOLDER}/"])
def test_a_model_on_s3_answers_and_leaves_nothing_on_the_disk(
    s3: Any, settings: Settings, champion: ModelVersion, tmp_path: Path, folder: str
) -> None:
    served = fixed_model(settings, folder).serving()
    assert served.version == champion
    assert served.loaded_from == "s3"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [RECORD, "model.json", "upper.txt"])
def test_a_file_that_is_not_there_is_named_with_the_cause(
    s3: Any, settings: Settings, name: str
) -> None:
    s3.delete_object(Bucket=BUCKET, Key=f"{PREFIX}/{name}")
    with pytest.raises(ModelError, match=rf"{FOLDER}/{name} cannot be fetched: .*NoSuchKey"):
        fixed_model(settings, FOLDER)


def test_a_file_that_is_not_the_one_that_was_trained_is_refused(
    s3: Any, settings: Settings, trained: Path, tmp_path: Path
) -> None:
    text = (trained / "lower.txt").read_text().replace("leaf_value=", "leaf_value=9")
    s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}/lower.txt", Body=text.encode())
    with pytest.raises(DamagedModelError, match=f"^{FOLDER}/lower.txt is not the file"):
        fixed_model(settings, FOLDER)
    assert not list(tmp_path.iterdir())


def test_a_record_that_cannot_be_read_is_told_with_its_address(s3: Any, settings: Settings) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{RECORD}", Body=b"{")
    with pytest.raises(ModelError, match=f"^{FOLDER}/{RECORD}, which says"):
        fixed_model(settings, FOLDER)


def test_an_s3_that_does_not_answer_is_a_cause_too(settings: Settings) -> None:
    away = settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"})
    with pytest.raises(ModelError, match="Could not connect"):
        fixed_model(away, FOLDER)


def test_where_botocore_is_not_installed_the_setting_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "botocore.config", None)
    with pytest.raises(SettingsError, match="botocore is not installed"):
        fixed_model(settings, FOLDER)
