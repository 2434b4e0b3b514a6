"""The S3 bucket, as each library wants to be told of it."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from pyarrow.fs import S3FileSystem

from taxi_duration.errors import StorageError
from taxi_duration.settings import Settings

# What Delta's errors draw their trees with: colours, and arrows at the beginning of lines.
_DRAWN: Final = re.compile(r"\x1b\[[0-9;]*m|↳")


@dataclass(frozen=True)
class Storage:
    """One bucket on AWS (no endpoint, keys from the default chain) or on any S3 server."""

    bucket: str
    region: str
    endpoint: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None

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
            self.client.upload_fileobj(
                file, self.bucket, key, ExtraArgs={"Metadata": dict(metadata or {})}
            )
        return self.uri(key)

    def read_table(self, key: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The Parquet object that `write_table` stored; raises as `reading` does."""
        with self.reading(), self.filesystem.open_input_file(f"{self.bucket}/{key}") as file:
            return pq.read_table(file, columns=columns)

    def objects(self, prefix: str = "") -> Iterator[dict[str, Any]]:
        """What S3 lists of each object (`Key`, `Size`, `ETag`), in the order of the keys."""
        pages = self.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
            yield from page.get("Contents", [])

    def metadata(self, key: str) -> dict[str, str] | None:
        """What was stored beside an object as its metadata; None where there is no object.

        Raises as `reading` does.
        """
        try:
            with self.reading():
                found = self.client.head_object(Bucket=self.bucket, Key=key)
        except self.client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return dict(found["Metadata"])

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Reads with any of the libraries; raises StorageError where the server does not answer.

        An object that is not there is a FileNotFoundError as ever.
        """
        try:
            yield
        except FileNotFoundError:
            raise
        except (OSError, BotoCoreError) as error:
            said = " ".join(_DRAWN.sub("", str(error)).split())
            raise StorageError(
                f"The bucket {self.bucket} at {self.endpoint or 'AWS, ' + self.region} cannot be"
                f" read: {said.rstrip('.')}.",
                "See whether the S3 server runs (`taxi status`) and whether TAXI_S3_ENDPOINT is"
                " its address.",
            ) from error

    @cached_property
    def client(self) -> Any:
        """A boto3 client; fails within seconds where no server answers."""
        return boto3.client(
            "s3",
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"max_attempts": 4},
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
            connect_timeout=5,
            request_timeout=60,
        )

    @cached_property
    def delta_options(self) -> dict[str, str]:
        """Options for `deltalake`; commits are safe against each other by conditional writes."""
        options = {"AWS_REGION": self.region, "aws_conditional_put": "etag"}
        if self.endpoint:
            options |= {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ALLOW_HTTP": "true"}
        if self.access_key_id and self.secret_access_key:
            options |= {
                "AWS_ACCESS_KEY_ID": self.access_key_id,
                "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            }
        return options
