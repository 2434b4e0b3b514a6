"""The S3 bucket, as each library wants to be told of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import boto3
from botocore.config import Config
from pyarrow.fs import S3FileSystem

from taxi_duration.settings import Settings


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

    @cached_property
    def client(self) -> Any:
        """A boto3 client; fails within seconds where no server answers."""
        return boto3.client(
            "s3",
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 4}),
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
