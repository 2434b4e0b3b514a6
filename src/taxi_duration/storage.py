"""The S3 bucket, as each library wants to be told of it."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple, Self

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

from taxi_duration.errors import MissingObjectError, StorageError
from taxi_duration.settings import Settings

# What Delta's errors draw their trees with: colours, and arrows at the beginning of lines.
_DRAWN: Final = re.compile(r"\x1b\[[0-9;]*m|↳")
# The server's own answer, as Delta quotes it; besides code and message it may name the key. None of
# these looks at a character more than twice, whatever the server says.
_ANSWER: Final = re.compile(r"<\?xml.*?(?:</Error>|$)")
_CODE: Final = re.compile(r"<Code>([^<]*)</Code>")
_MESSAGE: Final = re.compile(r"<Message>([^<]*)</Message>")
# S3 deletes so many at a time.
_AT_ONCE: Final = 1_000
_NO_BUCKET: Final = "NoSuchBucket"
# What boto3 says before it asks anybody.
_NO_KEY: Final = "Unable to locate credentials"
_REFUSED: Final = re.compile(
    r"\(403\)|403 Forbidden|AccessDenied|ACCESS_DENIED|InvalidAccessKeyId|SignatureDoesNotMatch"
    r"|[Cc]redentials"
)


class Limits(NamedTuple):
    """How long a server that does not answer is waited for, in seconds.

    The libraries' own limits are minutes. With these everything that asks a silent server gives up
    within 40 s: `attempts` times `silent` in boto3 and Arrow, `request` in Delta.
    """

    # Until the server takes a connection; boto3 allows each piece that it sends as much.
    connect: int = 5
    # Until the next piece of an answer: a transfer that goes on is not cut, however slow. But what
    # the system still holds when all is sent, 4 MB on Linux, has to be through by then.
    silent: int = 10
    # Of boto3 and Arrow, the first one counted; AWS' own number, which forgives a brief refusal.
    attempts: int = 3
    # A whole request of Delta's, which knows no limit between pieces, and after which it does not
    # try again. It sends pieces of a file at a time; this is also its own default.
    request: int = 30


LIMITS: Final = Limits()


class StoredObject(NamedTuple):
    """An object as it is stored, with what was stored beside it."""

    content: bytes
    metadata: dict[str, str]


@dataclass(frozen=True)
class Storage:
    """One bucket on AWS (no endpoint, keys from the default chain) or on any S3 server.

    Every method that asks the server raises as `errors` does.
    """

    bucket: str
    region: str
    endpoint: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    limits: Limits = LIMITS

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The bucket that the settings name."""
        secret = settings.s3_secret_access_key
        return cls(
            bucket=settings.s3_bucket,
            region=settings.s3_region,
            endpoint=settings.s3_endpoint,
            access_key_id=settings.s3_access_key_id,
            secret_access_key=secret.get_secret_value() if secret else None,
        )

    def uri(self, key: str) -> str:
        """`s3://<bucket>/<key>`."""
        return f"s3://{self.bucket}/{key}"

    def key(self, uri: str) -> str:
        """The key in `s3://<bucket>/<key>`; raises ValueError for another bucket's URI."""
        if not uri.startswith(self.uri("")):
            raise ValueError(f"{uri} is not in the bucket {self.bucket}")
        return uri.removeprefix(self.uri(""))

    def write_table(
        self, key: str, table: pa.Table, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Stores `table` as a Parquet object, whole or not at all, and returns its URI."""
        with tempfile.TemporaryFile() as file:
            pq.write_table(table, file)
            file.seek(0)
            # Unlike Arrow's own writer this one leaves nothing behind if it is stopped midway.
            with self.errors(key):
                self.client.upload_fileobj(
                    file, self.bucket, key, ExtraArgs={"Metadata": dict(metadata or {})}
                )
        return self.uri(key)

    def read_table(self, key: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The Parquet object that `write_table` stored."""
        with self.errors(key), self.filesystem.open_input_file(f"{self.bucket}/{key}") as file:
            return pq.read_table(file, columns=columns)

    def put(self, key: str, content: bytes, **more: Any) -> None:
        """Store an object, whole or not at all; `more` is what boto3's `put_object` takes."""
        with self.errors(key):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content, **more)

    def get(self, key: str) -> StoredObject:
        """An object that is there."""
        with self.errors(key):
            found = self.client.get_object(Bucket=self.bucket, Key=key)
            return StoredObject(found["Body"].read(), found["Metadata"])

    def copy(self, key: str, to: str) -> None:
        """Have S3 itself store an object once more, with its metadata, under another key."""
        with self.errors(key):
            source = {"Bucket": self.bucket, "Key": key}
            self.client.copy_object(Bucket=self.bucket, Key=to, CopySource=source)

    def delete(self, key: str) -> None:
        """Delete an object; where there is none, nothing happens."""
        with self.errors(key):
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def delete_all(self, keys: Sequence[str]) -> None:
        """Delete objects, many in one request; the error names the first that S3 refused."""
        for first in range(0, len(keys), _AT_ONCE):
            wanted = [{"Key": key} for key in keys[first : first + _AT_ONCE]]
            with self.errors():
                answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": wanted})
            # The answer is 200 even where S3 deleted none of them.
            for refused in answer.get("Errors", []):
                said = f"{refused.get('Code')}: {refused.get('Message', '')}"
                raise self._error(refused["Key"], _plain(said))

    def objects(self, prefix: str = "") -> Iterator[dict[str, Any]]:
        """What S3 lists of each object (`Key`, `Size`, `ETag`), in the order of the keys."""
        pages = iter(
            self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        )
        while True:
            with self.errors():
                page = next(pages, None)
            if page is None:
                return
            yield from page.get("Contents", [])

    def head(self, key: str) -> dict[str, Any] | None:
        """What boto3's `head_object` says of an object; None where there is none."""
        try:
            with self.errors(key):
                found: dict[str, Any] = self.client.head_object(Bucket=self.bucket, Key=key)
        except MissingObjectError:
            return None
        return found

    def metadata(self, key: str) -> dict[str, str] | None:
        """What was stored beside an object as its metadata; None where there is no object."""
        found = self.head(key)
        return None if found is None else dict(found["Metadata"])

    def check_bucket(self) -> None:
        """Raises StorageError where there is no such bucket."""
        try:
            with self.errors():
                self.client.head_bucket(Bucket=self.bucket)
        except MissingObjectError as error:
            raise self._error("", f"{_NO_BUCKET}: there is no such bucket") from error

    @contextmanager
    def errors(self, key: str = "") -> Iterator[None]:
        """Raise what boto3, Arrow and Delta raise about the server as StorageError.

        It says which bucket, or which object where `key` names one, and what to do. An object that
        is not there is a MissingObjectError. The block must not touch local files: their errors are
        OSErrors too.
        """
        try:
            yield
        except (OSError, BotoCoreError, ClientError) as error:
            if _is_missing(error):
                if key:
                    # A missing bucket may be told in the same way.
                    self.check_bucket()
                raise MissingObjectError(
                    f"{self._told(key)} is not there.",
                    "It was deleted, or what makes it has not run yet.",
                ) from error
            raise self._error(key, _plain(str(error))) from error

    def _told(self, key: str) -> str:
        what = self.uri(key) if key else f"The bucket {self.bucket}"
        return f"{what} at {self.endpoint or 'AWS, ' + self.region}"

    def _error(self, key: str, said: str) -> StorageError:
        return StorageError(f"{self._told(key)} cannot be used: {said}.", _remedy(said))

    @cached_property
    def client(self) -> Any:
        """A boto3 client; fails within seconds where no server answers.

        What it raises is typed within `errors` alone; all that is simple has a method here.
        """
        return boto3.client(
            "s3",
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(
                connect_timeout=self.limits.connect,
                read_timeout=self.limits.silent,
                retries={"total_max_attempts": self.limits.attempts},
                # Only AWS has a host name for each bucket.
                s3={"addressing_style": "path" if self.endpoint else "auto"},
            ),
        )

    @cached_property
    def filesystem(self) -> S3FileSystem:
        """Arrow's view; paths are `<bucket>/<key>`."""
        return S3FileSystem(
            access_key=self.access_key_id,
            secret_key=self.secret_access_key,
            endpoint_override=self.endpoint,
            region=self.region,
            connect_timeout=self.limits.connect,
            request_timeout=self.limits.silent,
            retry_strategy=AwsStandardS3RetryStrategy(max_attempts=self.limits.attempts),
        )

    @cached_property
    def delta_options(self) -> dict[str, str]:
        """Options for `deltalake`; commits are safe against each other by conditional writes."""
        options = {
            "AWS_REGION": self.region,
            "aws_conditional_put": "etag",
            "max_retries": "5",
            "retry_timeout": f"{self.limits.request}s",
            "connect_timeout": f"{self.limits.connect}s",
            "timeout": f"{self.limits.request}s",
        }
        if self.endpoint:
            options |= {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ALLOW_HTTP": "true"}
        if self.access_key_id and self.secret_access_key:
            options |= {
                "AWS_ACCESS_KEY_ID": self.access_key_id,
                "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            }
        return options


def _plain(said: str) -> str:
    """One line, without drawing, and of an answer in XML its code and message alone."""
    line = " ".join(_DRAWN.sub("", said).split())
    return _ANSWER.sub(lambda found: _code_and_message(found[0]), line).rstrip(". ")


def _code_and_message(answer: str) -> str:
    """What an answer in XML says; all of it where it has no code."""
    if not (code := _CODE.search(answer)):
        return answer
    message = _MESSAGE.search(answer)
    return ": ".join(filter(None, (code[1], message and message[1])))


def _is_missing(error: Exception) -> bool:
    """Whether an error says that what was asked for is not there.

    The answer to a HEAD request has no more than a status, for a bucket as for an object.
    """
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] in {"NoSuchKey", "404"}
    return isinstance(error, FileNotFoundError)


def _remedy(said: str) -> str:
    if _NO_KEY in said:
        return (
            "`taxi up` makes a stack with keys of its own (TAXI_HOME names its folder); elsewhere"
            " set TAXI_S3_ACCESS_KEY_ID and TAXI_S3_SECRET_ACCESS_KEY, or give the machine a role."
        )
    if _NO_BUCKET in said:
        return "See whether TAXI_S3_BUCKET is its name; `taxi provision` makes it."
    if _REFUSED.search(said):
        return (
            "See whether TAXI_S3_ACCESS_KEY_ID and TAXI_S3_SECRET_ACCESS_KEY are right, and whether"
            " that key, or on AWS the role, may do this."
        )
    return "See whether the S3 server runs (`taxi status`) and whether TAXI_S3_ENDPOINT names it."
