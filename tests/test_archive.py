"""The bucket as one tar, against a real S3 server."""

import io
import tarfile

import pytest

from monitored import with_own_bucket
from taxi_duration.archive import load, save
from taxi_duration.errors import ArchiveError
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

pytestmark = pytest.mark.stack

PAGE = {"ContentType": "text/html; charset=utf-8", "Metadata": {"month": "2019-03"}}
# Larger than what S3 takes in one piece from a stream.
LARGE = bytes(range(256)) * 40_000


@pytest.fixture
def bucket(backends: Settings) -> Storage:
    return Storage.from_settings(with_own_bucket(backends))


def put(storage: Storage, key: str, body: bytes, **more: object) -> None:
    storage.client.put_object(Bucket=storage.bucket, Key=key, Body=body, **more)


def get(storage: Storage, key: str) -> bytes:
    body: bytes = storage.client.get_object(Bucket=storage.bucket, Key=key)["Body"].read()
    return body


def keys(storage: Storage) -> list[str]:
    return [listed["Key"] for listed in storage.objects()]


def saved(storage: Storage) -> io.BytesIO:
    stream = io.BytesIO()
    save(storage, stream)
    stream.seek(0)
    return stream


def test_what_was_saved_is_there_again_with_its_type_and_metadata(
    bucket: Storage, backends: Settings
) -> None:
    put(bucket, "reports/drift/täglich.html", b"<p>", **PAGE)
    put(bucket, "lake/" + "long/" * 60 + "part.parquet", LARGE)
    put(bucket, "empty", b"")
    elsewhere = Storage.from_settings(with_own_bucket(backends))
    assert load(elsewhere, saved(bucket)) == (3, 0)
    assert keys(elsewhere) == keys(bucket)
    for key in keys(bucket):
        assert get(elsewhere, key) == get(bucket, key)
    page = elsewhere.client.head_object(Bucket=elsewhere.bucket, Key="reports/drift/täglich.html")
    assert {name: page[name] for name in PAGE} == PAGE


def test_what_is_newer_than_the_archive_is_gone_afterwards(bucket: Storage) -> None:
    put(bucket, "kept", b"old")
    archive = saved(bucket)
    put(bucket, "kept", b"new")
    put(bucket, "later", b"new")
    assert load(bucket, archive) == (1, 1)
    assert keys(bucket) == ["kept"]
    assert get(bucket, "kept") == b"old"


def test_a_cut_archive_is_refused_and_deletes_nothing(bucket: Storage) -> None:
    put(bucket, "large", LARGE)
    cut = io.BytesIO(saved(bucket).getvalue()[: len(LARGE) // 2])
    put(bucket, "later", b"new")
    with pytest.raises(ArchiveError, match="load a whole one"):
        load(bucket, cut)
    assert keys(bucket) == ["large", "later"]
    assert get(bucket, "large") == LARGE


class Breaking(io.BytesIO):
    """A stream that ends with its writer."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > len(LARGE) // 2:
            raise ConnectionResetError("its writer is gone")
        return super().read(size)


def test_a_stream_that_breaks_off_is_told_as_what_it_is_and_not_as_s3(bucket: Storage) -> None:
    put(bucket, "large", LARGE)
    archive = saved(bucket)
    put(bucket, "large", b"new")
    put(bucket, "later", b"new")
    with pytest.raises(ArchiveError, match="its writer is gone"):
        load(bucket, Breaking(archive.getvalue()))
    assert get(bucket, "large") == b"new"
    assert keys(bucket) == ["large", "later"]


def test_an_empty_bucket_is_an_archive_too(bucket: Storage) -> None:
    archive = saved(bucket)
    with tarfile.open(fileobj=archive) as tar:
        assert tar.getnames() == []
    archive.seek(0)
    assert load(bucket, archive) == (0, 0)


def small_entries() -> bytes:
    """An archive of three small objects, each of two blocks: its header and its bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w|") as tar:
        for name in ("one", "three", "two"):
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            tar.addfile(entry, io.BytesIO(name.encode()))
    return stream.getvalue()


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(small_entries()[: 2 * 2 * tarfile.BLOCKSIZE], id="cut between two objects"),
        pytest.param(small_entries()[: 2 * 2 * tarfile.BLOCKSIZE + 100], id="cut in a header"),
        pytest.param(small_entries()[: 3 * 2 * tarfile.BLOCKSIZE], id="cut before its end"),
        pytest.param(
            small_entries().replace(b"three".ljust(100, b"\0"), b"trees".ljust(100, b"\0")),
            id="a damaged header",
        ),
    ],
)
def test_an_archive_without_its_end_deletes_nothing(bucket: Storage, archive: bytes) -> None:
    put(bucket, "later", b"new")
    with pytest.raises(ArchiveError, match="load a whole one"):
        load(bucket, io.BytesIO(archive))
    assert "later" in keys(bucket)
