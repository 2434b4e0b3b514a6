"""All objects of the bucket as one stream of tar, and back: `make backup` calls it in a container.

`python -m taxi_duration.archive list`, `save >objects.tar` or `load <objects.tar`. What S3 keeps
beside an object's bytes, its content type and metadata, lies in the headers of its entry as
extended attributes of a file, which other programs that read tar know.
"""

import io
import json
import sys
import tarfile
from typing import IO, Any, Final, Self

from taxi_duration.errors import ArchiveError, MissingObjectError, TaxiError
from taxi_duration.settings import load_settings
from taxi_duration.storage import Storage

_TYPE: Final = "SCHILY.xattr.user.mime_type"
_METADATA: Final = "SCHILY.xattr.user.metadata"


def save(storage: Storage, stream: IO[bytes]) -> int:
    """Write all objects to `stream`; returns how many.

    One that is deleted meanwhile is left out. The keys come in order, so a Delta table's log comes
    before the files that it names: none that it names is missed.
    """
    count = 0
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for key in [listed["Key"] for listed in storage.objects()]:
            try:
                with storage.errors(key):
                    found = storage.client.get_object(Bucket=storage.bucket, Key=key)
            except MissingObjectError:
                continue
            tar.addfile(_entry(key, found), _Download(storage, key, found["Body"]))
            count += 1
    return count


def load(storage: Storage, stream: IO[bytes]) -> tuple[int, int]:
    """Store all objects of `stream` and delete all others; returns how many of each.

    Raises ArchiveError where `stream` breaks off, and then deletes none.
    """
    stored = _store(storage, stream)
    others = [key for listed in storage.objects() if (key := listed["Key"]) not in stored]
    storage.delete_all(others)
    return len(stored), len(others)


def _store(storage: Storage, stream: IO[bytes]) -> set[str]:
    stored = set()
    try:
        with tarfile.open(fileobj=_Input(stream), mode="r|", tarinfo=_Entry) as tar:
            for entry in tar:
                with storage.errors(entry.name):
                    storage.client.upload_fileobj(
                        _Forward(tar.extractfile(entry)), storage.bucket, entry.name, _told(entry)
                    )
                stored.add(entry.name)
    except tarfile.ReadError as error:
        raise _broken(error) from error
    return stored


def _broken(error: Exception) -> ArchiveError:
    return ArchiveError(
        f"The archive could not be read to its end: {error}.",
        "What came before is stored, and nothing was deleted. See where it comes from, and load a"
        " whole one.",
    )


class _Entry(tarfile.TarInfo):
    """An entry that is there: two blocks of zeros end an archive, and nothing else does.

    Python's own takes a header that is missing, cut or damaged for the end as well.
    """

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        """The next one; EOFHeaderError at the archive's end, ReadError where it breaks off."""
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # typeshed has it not
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


class _Download(io.RawIOBase):
    """What S3 sends of an object; it may break off, which is told as of all of S3."""

    def __init__(self, storage: Storage, key: str, body: Any) -> None:
        self._storage, self._key, self._body = storage, key, body

    def read(self, size: int = -1) -> bytes:
        with self._storage.errors(self._key):
            content: bytes = self._body.read(size)
        return content


class _Input(io.RawIOBase):
    """The archive as it comes in; where that fails, it is not S3 that did."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise _broken(error) from error


class _Forward:
    """A file that can be read but not gone back in, as is true of a stream, and says so."""

    def __init__(self, file: IO[bytes] | None) -> None:
        if file is None:
            raise ValueError("The archive holds something that is no object.")
        self.read = file.read


def _entry(key: str, found: dict[str, Any]) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(key)
    entry.size = found["ContentLength"]
    entry.mtime = int(found["LastModified"].timestamp())
    entry.mode = 0o600
    entry.pax_headers = {_TYPE: found["ContentType"], _METADATA: json.dumps(found["Metadata"])}
    return entry


def _told(entry: tarfile.TarInfo) -> dict[str, Any]:
    headers = entry.pax_headers
    return {
        "ContentType": headers.get(_TYPE, "binary/octet-stream"),
        "Metadata": json.loads(headers.get(_METADATA, "{}")),
    }


def main(verb: str) -> None:
    """Do it with the bucket that the settings name; the stream is stdin or stdout."""
    storage = Storage.from_settings(load_settings())
    if verb == "save":
        print(f"{save(storage, sys.stdout.buffer)} objects", file=sys.stderr)  # noqa: T201
    elif verb == "load":
        stored, deleted = load(storage, sys.stdin.buffer)
        print(f"{stored} objects stored, {deleted} others deleted")  # noqa: T201
    elif verb == "list":
        for listed in storage.objects():
            print(listed["Key"], listed["Size"], listed["ETag"].strip('"'), sep="\t")  # noqa: T201
    else:
        raise SystemExit(f"{verb} is none of: list, save, load.")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except TaxiError as error:
        raise SystemExit(f"Error: {error}") from None
