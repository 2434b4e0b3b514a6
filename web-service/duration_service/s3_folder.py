"""A model's folder on S3, for a function that is told its model by its configuration."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from taxi_duration.errors import ModelError, SettingsError
from taxi_duration.model.duration_model import MODEL_FILES
from taxi_duration.registry.champion import RECORD
from taxi_duration.settings import Settings

SCHEME: Final = "s3://"
# Lambda ends a start that takes longer than 10 s; a file takes a tenth of a second.
_CONNECT_SECONDS: Final = 2
_READ_SECONDS: Final = 5


def is_on_s3(folder: str) -> bool:
    """Whether a folder is an address on S3."""
    return folder.startswith(SCHEME)


@contextmanager
def fetched(settings: Settings, address: str) -> Iterator[Path]:
    """A folder on disk with the model's files of `s3://<bucket>/<prefix>`, as long as it is needed.

    Raises ModelError naming the file that could not be fetched and why, SettingsError where
    botocore is not installed: only the function's image has it.
    """
    bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        client = _client(settings)
        for name in (RECORD, *MODEL_FILES):
            key = f"{prefix.rstrip('/')}/{name}".lstrip("/")
            (folder / name).write_bytes(_content(client, bucket, key))
        yield folder


def _content(client: Any, bucket: str, key: str) -> bytes:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        content: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, ClientError) as error:
        raise ModelError(
            f"{SCHEME}{bucket}/{key} cannot be fetched: {error}.",
            "`taxi deploy lambda` puts a version's files there; the function's role may have to be"
            " allowed to read them.",
        ) from error
    return content


def _client(settings: Settings) -> Any:
    try:
        # The service in its own image does without.
        from botocore.config import Config  # noqa: PLC0415
        from botocore.session import get_session  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "TAXI_MODEL_FOLDER is an address on S3, and botocore is not installed.",
            "Install the group `lambda`, or let the service follow the registry.",
        ) from error
    secret = settings.s3_secret_access_key
    return get_session().create_client(
        "s3",
        region_name=settings.s3_region,
        endpoint_url=settings.s3_endpoint,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": 3},
            s3={"addressing_style": "path" if settings.s3_endpoint else "auto"},
        ),
    )
