import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa
import pytest
from boto3.s3.transfer import TransferConfig

from ill_s3 import refusing_server, silent_server, slow_server
from mage_parts import free_port
from moto_parts import moto_server
from taxi_duration.archive import load, save
from taxi_duration.errors import MissingObjectError, SettingsError, StorageError
from taxi_duration.settings import Settings, load_settings
from taxi_duration.storage import LIMITS, Limits, Storage
from taxi_duration.trips.clean import QUARANTINE_SCHEMA, CleanMonth
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from trips_factory import make_trips


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


JANUARY = Month(2019, 1)
TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})

Use = Callable[[Storage], object]


def an_archive() -> io.BytesIO:
    """One object, as `save` writes it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("raw/a"))
    stream.seek(0)
    return stream


def a_month() -> CleanMonth:
    quarantine = QUARANTINE_SCHEMA.empty_table()
    return CleanMonth(JANUARY, make_trips("2019-01", count=20), quarantine, {})


# All that asks the server, by what does it.
USES: dict[str, Use] = {
    "write_table": lambda storage: storage.write_table("raw/a.parquet", TABLE),
    "read_table": lambda storage: storage.read_table("raw/a.parquet"),
    "put": lambda storage: storage.put("raw/a", b"a"),
    "get": lambda storage: storage.get("raw/a"),
    "copy": lambda storage: storage.copy("raw/a", "raw/b"),
    "delete": lambda storage: storage.delete("raw/a"),
    "delete_all": lambda storage: storage.delete_all(["raw/a"]),
    "objects": lambda storage: list(storage.objects()),
    "metadata": lambda storage: storage.metadata("raw/a"),
    "check_bucket": lambda storage: storage.check_bucket(),
    "the lake's raw month": lambda storage: Lake(storage, "simulated").read_raw(JANUARY),
    "the lake's rows": lambda storage: Lake(storage, "simulated").rows(),
    "the lake's trips": lambda storage: Lake(storage, "simulated").read([JANUARY]),
    "the lake's months": lambda storage: Lake(storage, "simulated").replace_month(
        JANUARY, a_month()
    ),
    "saving an archive": lambda storage: save(storage, io.BytesIO()),
    "loading an archive": lambda storage: load(storage, an_archive()),
}
every_use = pytest.mark.parametrize("use", USES.values(), ids=USES)


def told(storage: Storage, use: Use) -> str:
    """What the one typed error says."""
    with pytest.raises(StorageError) as caught:
        use(storage)
    text = str(caught.value)
    assert not isinstance(caught.value, MissingObjectError)
    assert storage.bucket in caught.value.cause
    assert f" at {storage.endpoint} cannot be used: " in caught.value.cause
    assert text.isprintable()
    assert "<" not in text
    assert storage.access_key_id
    assert storage.access_key_id not in text
    assert storage.secret_access_key
    assert storage.secret_access_key not in text
    return caught.value.remedy


@pytest.mark.slow
@every_use
def test_a_server_that_does_not_run_is_told_with_its_address_in_plain_words(use: Use) -> None:
    away = Storage("trips", "us-east-1", f"http://127.0.0.1:{free_port()}", "who-it-is", "hidden")
    assert "`taxi status`" in told(away, use)


@pytest.mark.slow
def test_a_server_that_never_answers_is_told_within_its_limits() -> None:
    # With the limits of every day each would take 24 s or more.
    limits = Limits(connect=1, silent=1, attempts=1, request=1)
    with silent_server() as url, ThreadPoolExecutor(len(USES)) as pool:
        silent = Storage("trips", "us-east-1", url, "who-it-is", "hidden", limits)
        started = time.monotonic()
        remedies = list(pool.map(partial(told, silent), USES.values()))
        assert time.monotonic() - started < 20
    assert all("`taxi status`" in remedy for remedy in remedies)


def test_by_the_limits_of_every_day_a_server_is_given_up_within_forty_seconds() -> None:
    # A PUT waits one second more for leave to send, and the waits in between are up to 1 and 2 s.
    assert LIMITS.attempts * (LIMITS.silent + 1) + 1 + 2 <= 40
    assert LIMITS.request <= 40


@pytest.mark.slow
@pytest.mark.parametrize("use", ["put", "get", "read_table"])
def test_a_server_that_fails_is_asked_as_often_as_the_limits_say(use: str) -> None:
    with refusing_server(503) as (url, requests):
        limits = Limits(attempts=2)
        told(Storage("trips", "us-east-1", url, "who-it-is", "hidden", limits), USES[use])
        assert len(requests) == 2


@pytest.mark.slow
@pytest.mark.parametrize("upload", ["put", "upload_fileobj"])
def test_an_upload_that_takes_longer_than_the_limits_is_not_cut_while_it_goes_on(
    upload: str,
) -> None:
    large = bytes(20_000_000)
    limits = Limits(connect=1, silent=2, attempts=1)
    with slow_server(seconds=3.5) as url:
        slow = Storage("trips", "us-east-1", url, "who-it-is", "hidden", limits)
        started = time.monotonic()
        if upload == "put":
            slow.put("raw/a", large)
        else:
            whole = TransferConfig(multipart_threshold=len(large) + 1)
            slow.client.upload_fileobj(io.BytesIO(large), slow.bucket, "raw/a", Config=whole)
        assert time.monotonic() - started > 3.5


@every_use
def test_a_bucket_that_is_not_there_is_told_by_its_name(aws: Storage, use: Use) -> None:
    assert "TAXI_S3_BUCKET" in told(replace(aws, bucket="elsewhere"), use)


@pytest.mark.stack
@every_use
@pytest.mark.parametrize("wrong", ["access_key_id", "secret_access_key"])
def test_a_key_that_is_refused_is_told_without_the_key(
    storage: Storage, wrong: str, use: Use
) -> None:
    changed: dict[str, Any] = {wrong: "someone-else"}
    assert "TAXI_S3_ACCESS_KEY_ID" in told(replace(storage, **changed), use)


def test_who_has_no_key_is_told_where_one_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StorageError, match="`taxi up` makes a stack with keys of its own"):
        Storage("trips", "us-east-1").get("a")


def test_of_what_the_server_answers_code_and_message_are_told_and_no_key() -> None:
    answer = (
        'Generic S3 error\n\x1b[31m↳\x1b[0m 403 Forbidden\n↳ <?xml version="1.0"?>\n<Error>'
        "<Code>SignatureDoesNotMatch</Code><Message>The signature differs.</Message>"
        "<AWSAccessKeyId>AKIA123</AWSAccessKeyId><StringToSign>AWS4 AKIA123</StringToSign></Error>"
    )
    with pytest.raises(StorageError) as caught, Storage("trips", "us-east-1").errors("a"):
        raise OSError(answer)
    assert caught.value.cause == (
        "s3://trips/a at AWS, us-east-1 cannot be used: Generic S3 error 403 Forbidden"
        " SignatureDoesNotMatch: The signature differs."
    )
    assert "TAXI_S3_SECRET_ACCESS_KEY" in caught.value.remedy


@pytest.mark.parametrize("broken", ["<?xml", "<?xml<Code>", "<?xml<Code>a</Code><Message>"])
def test_however_long_and_broken_an_answer_is_it_is_told_at_once(broken: str) -> None:
    began = time.perf_counter()
    with pytest.raises(StorageError), Storage("trips", "us-east-1").errors("a"):
        raise OSError(broken * 1_000)
    assert time.perf_counter() - began < 1


@pytest.fixture(scope="module")
def aws() -> Iterator[Storage]:
    """A bucket on a server that answers as AWS does."""
    with moto_server() as url:
        storage = Storage("trips", "us-east-1", url, "who-it-is", "hidden")
        storage.client.create_bucket(Bucket=storage.bucket)
        yield storage


@pytest.mark.parametrize("use", ["get", "copy", "read_table"])
def test_an_object_that_is_not_there_is_told_with_its_key(aws: Storage, use: str) -> None:
    with pytest.raises(MissingObjectError, match=r"s3://trips/raw/a.* is not there\."):
        USES[use](aws)


def test_an_object_is_stored_copied_and_deleted_with_what_lies_beside_it(aws: Storage) -> None:
    aws.put("objects/a", b"content", Metadata={"of": "us"}, ContentType="text/html")
    aws.copy("objects/a", "objects/b")
    aws.delete("objects/a")
    aws.delete("objects/a")
    assert aws.get("objects/b") == (b"content", {"of": "us"})
    assert [listed["Key"] for listed in aws.objects("objects/")] == ["objects/b"]
    assert aws.head("objects/a") is None


def test_keys_that_s3_refuses_to_delete_are_told_although_it_answers_200(aws: Storage) -> None:
    for key in ("many/a", "many/b", "many/c"):
        aws.put(key, b"content")
    kept = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::trips/many/b",
    }
    policy = {"Version": "2012-10-17", "Statement": [kept]}
    aws.client.put_bucket_policy(Bucket=aws.bucket, Policy=json.dumps(policy))
    try:
        with pytest.raises(
            StorageError, match=r"s3://trips/many/b at .*: AccessDenied: "
        ) as caught:
            aws.delete_all(["many/a", "many/b", "many/c"])
    finally:
        aws.client.delete_bucket_policy(Bucket=aws.bucket)
    assert "may do this" in caught.value.remedy
    assert [listed["Key"] for listed in aws.objects("many/")] == ["many/b"]


def test_more_keys_than_s3_deletes_at_once_are_all_deleted(aws: Storage) -> None:
    keys = [f"thousand/{number}" for number in range(1_001)]
    for key in (keys[0], keys[-1]):
        aws.put(key, b"content")
    aws.delete_all(keys)
    assert list(aws.objects("thousand/")) == []


class _Breaks(io.BytesIO):
    """A file whose second half cannot be read."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise ConnectionResetError("gone")
        return super().read(size)


def test_an_upload_that_breaks_off_leaves_what_was_there_before(aws: Storage) -> None:
    aws.put("broken/a", b"before")
    with pytest.raises(StorageError, match="gone"), aws.errors("broken/a"):
        aws.client.upload_fileobj(_Breaks(bytes(20_000_000)), aws.bucket, "broken/a")
    assert aws.get("broken/a").content == b"before"


def test_an_address_without_http_is_refused_as_a_setting() -> None:
    with pytest.raises(SettingsError, match="TAXI_S3_ENDPOINT"):
        load_settings(s3_endpoint="localhost:8333")
    assert Storage.from_settings(load_settings(s3_endpoint="")).endpoint == ""


def test_without_an_endpoint_delta_is_told_of_aws_alone() -> None:
    storage = Storage.from_settings(load_settings(s3_region="eu-west-1", s3_endpoint=None))
    assert storage.delta_options["AWS_REGION"] == "eu-west-1"
    assert "AWS_ENDPOINT_URL" not in storage.delta_options


@pytest.mark.stack
def test_a_table_is_stored_with_its_metadata_and_read_again(storage: Storage) -> None:
    uri = storage.write_table("storage/table.parquet", TABLE, {"cap": "60000"})
    assert uri == storage.uri("storage/table.parquet")
    assert storage.metadata("storage/table.parquet") == {"cap": "60000"}
    assert storage.read_table("storage/table.parquet").equals(TABLE)
    assert storage.read_table("storage/table.parquet", ["b"]).column_names == ["b"]


@pytest.mark.stack
def test_an_object_that_is_not_there_has_no_metadata(storage: Storage) -> None:
    assert storage.metadata("storage/nothing.parquet") is None
