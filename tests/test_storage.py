from collections.abc import Callable

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from mage_parts import free_port
from taxi_duration.errors import StorageError
from taxi_duration.settings import Settings, load_settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month


@pytest.fixture(scope="module")
def storage(backends: Settings) -> Storage:
    """The bucket that the stack made."""
    return Storage.from_settings(backends)


def test_a_uri_names_bucket_and_key() -> None:
    storage = Storage("bucket", "us-east-1")
    assert storage.uri("raw/a.parquet") == "s3://bucket/raw/a.parquet"
    assert storage.key("s3://bucket/raw/a.parquet") == "raw/a.parquet"
    with pytest.raises(ValueError, match="not in the bucket"):
        storage.key("s3://other/raw/a.parquet")


def away() -> Storage:
    """A bucket on a server that does not run."""
    return Storage("bucket", "us-east-1", f"http://127.0.0.1:{free_port()}", "key", "secret")


@pytest.mark.parametrize(
    "read",
    [
        lambda storage: storage.read_table("raw/a.parquet"),
        lambda storage: storage.metadata("raw/a.parquet"),
        lambda storage: Lake(storage, "simulated").read([Month(2019, 1)]),
        lambda storage: Lake(storage, "simulated").read_raw(Month(2019, 1)),
        lambda storage: Lake(storage, "simulated").rows(),
    ],
)
def test_a_server_that_does_not_run_is_told_with_its_address_in_plain_words(
    read: Callable[[Storage], object],
) -> None:
    storage = away()
    with pytest.raises(StorageError, match=r"`taxi status`") as caught:
        read(storage)
    assert f"The bucket bucket at {storage.endpoint} cannot be read: " in str(caught.value)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


def test_without_an_endpoint_delta_is_told_of_aws_alone() -> None:
    storage = Storage.from_settings(load_settings(s3_region="eu-west-1", s3_endpoint=None))
    assert storage.delta_options["AWS_REGION"] == "eu-west-1"
    assert "AWS_ENDPOINT_URL" not in storage.delta_options


@pytest.mark.stack
def test_a_table_is_stored_with_its_metadata_and_read_again(storage: Storage) -> None:
    table = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})
    uri = storage.write_table("storage/table.parquet", table, {"cap": "60000"})
    assert uri == storage.uri("storage/table.parquet")
    assert storage.metadata("storage/table.parquet") == {"cap": "60000"}
    assert storage.read_table("storage/table.parquet").equals(table)
    assert storage.read_table("storage/table.parquet", ["b"]).column_names == ["b"]


@pytest.mark.stack
def test_an_object_that_is_not_there_has_no_metadata(storage: Storage) -> None:
    assert storage.metadata("storage/nothing.parquet") is None


@pytest.mark.stack
def test_a_wrong_secret_is_not_taken_for_a_missing_object(backends: Settings) -> None:
    stranger = Storage.from_settings(backends.model_copy(update={"s3_access_key_id": "stranger"}))
    with pytest.raises(ClientError, match="403"):
        stranger.metadata("storage/nothing.parquet")
