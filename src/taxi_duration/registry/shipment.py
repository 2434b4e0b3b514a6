"""A version's files on S3, outside of the registry, for a function that has no way to the registry.

They lie under `lambda/<model>/<version>/` in the form that the service keeps models in.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import UNREADABLE, DeliveryError
from taxi_duration.model.duration_model import MODEL_FILES, DurationModel, ModelInfo, saved_info
from taxi_duration.registry.champion import RECORD, download, model_uri
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

FOLDER: Final = "lambda"


class Shipped(NamedTuple):
    """A version whose files are on S3, and what they say of its model."""

    version: ModelVersion
    info: ModelInfo


def address(storage: Storage, version: ModelVersion) -> str:
    """Where a version's files lie: `s3://<bucket>/lambda/<model>/<version>`."""
    return storage.uri(f"{FOLDER}/{version.name}/{version.version}")


def ship(settings: Settings, storage: Storage, version: ModelVersion) -> str:
    """Put a version's files on S3; returns where they are.

    They are checked before, and the record, without which they are no model, comes last. Raises
    RegistryError where they cannot be fetched, DamagedModelError where they are not whole,
    StorageError where S3 refuses, DeliveryError where it has the files of another run under this
    number.
    """
    where = address(storage, version)
    with tempfile.TemporaryDirectory() as temporary:
        _raise_if_of_another_run(storage, where, version)
        folder = download(settings, version, Path(temporary))
        DurationModel.load(folder, model_uri(version))
        (folder / RECORD).write_bytes(msgspec.json.encode(version))
        for name in (*MODEL_FILES, RECORD):
            storage.put(storage.key(f"{where}/{name}"), (folder / name).read_bytes())
    return where


def shipped(storage: Storage, where: str) -> Shipped:
    """What is at an address that `ship` returned, read back.

    The model is not loaded: the function answers with its image's code, and on the way back to a
    former image that may have other features than this code has. Raises StorageError where it
    cannot be read, DeliveryError where its record cannot be understood, DamagedModelError where it
    is not whole.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in (*MODEL_FILES, RECORD):
            (folder / name).write_bytes(_content(storage, f"{where}/{name}"))
        return Shipped(_version(where, (folder / RECORD).read_bytes()), saved_info(folder, where))


def _raise_if_of_another_run(storage: Storage, where: str, version: ModelVersion) -> None:
    """A registry that was made anew counts again; a function may still have the former files."""
    if storage.metadata(storage.key(f"{where}/{RECORD}")) is None:
        return
    there = _version(where, _content(storage, f"{where}/{RECORD}"))
    if there.run_id != version.run_id:
        raise DeliveryError(
            f"{where} has a version {there.version} of another run, {there.run_id}.",
            "Remove that folder once no function uses it, or name the model otherwise"
            " (TAXI_MODEL_NAME).",
        )


def _content(storage: Storage, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return replace(storage, bucket=bucket).get(key).content


def _version(where: str, record: bytes) -> ModelVersion:
    try:
        return msgspec.json.decode(record, type=ModelVersion)
    except UNREADABLE as error:
        raise DeliveryError(
            f"{where}/{RECORD} cannot be understood: {error}.",
            "Remove that folder once no function uses it, and deliver the version again.",
        ) from error
