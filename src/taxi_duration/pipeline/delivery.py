"""A model version brought to the Lambda function, without building an image.

The alias that callers use moves last, to a function version that has answered rightly, so
whatever fails before leaves them with what they have.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import DeliveryError, NoModelError
from taxi_duration.pipeline.lambda_check import check
from taxi_duration.pipeline.lambda_function import LATEST, LambdaFunction, Live
from taxi_duration.registry.champion import champion, version
from taxi_duration.registry.shipment import Shipped, ship, shipped
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

log = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """What callers of the function get now, and what they got before."""

    model: ModelVersion
    function: str
    # Function versions; no former one where this is the first, the same where nothing changed.
    version: str
    former: str | None
    # The address of the former one's model; None where it had none.
    former_model: str | None


def deliver(settings: Settings, function: LambdaFunction, number: str = "") -> Delivery:
    """Let the function answer with a version of the model, the champion where none is named.

    Raises RegistryError, NoModelError or DamagedModelError where there is no such version that is
    whole, DeliveryError where AWS refuses a step or the function does not answer rightly.
    """
    storage = Storage.from_settings(settings)
    folder = ship(settings, storage, _wanted(settings, number))
    return _release(function, folder, shipped(storage, folder))


def release_image(settings: Settings, function: LambdaFunction) -> Delivery:
    """Let the function answer with the image that it is configured with, and the model it has.

    Needs no registry. Raises as `deliver` does, and DeliveryError where it has no model yet.
    """
    folder = _on_s3(function, LATEST)
    return _release(function, folder, shipped(Storage.from_settings(settings), folder))


def take_back(settings: Settings, function: LambdaFunction) -> Delivery:
    """Let the former function version answer again, once it has passed its check.

    Needs no registry. Raises DeliveryError where there is none, or where it does not answer.
    """
    before = function.live()
    if not before or not before.formers:
        raise DeliveryError(
            f"The function {function.name} has no former version.",
            "`taxi deploy lambda --version N` brings any version of the model.",
        )
    former, *earlier = before.formers
    folder = _on_s3(function, former)
    expected = shipped(Storage.from_settings(settings), folder)
    check(function, former, expected)
    function.move(before, former, tuple(earlier))
    try:
        # So that the next image is published with the model that serves.
        function.set_model_folder(folder)
    except DeliveryError as error:
        raise DeliveryError(
            f"Callers get version {former} of the function again, but its configuration still names"
            f" the model that they had before: {error.cause}",
            f"Make it right: `taxi deploy lambda --version {expected.version.version}`.",
        ) from error
    return _delivery(expected.version, function, former, before)


def _wanted(settings: Settings, number: str) -> ModelVersion:
    found = version(settings, number) if number else champion(settings)
    if found is None:
        raise NoModelError("No version serves.", "Name one: `taxi model list` shows what there is.")
    return found


def _release(function: LambdaFunction, folder: str, expected: Shipped) -> Delivery:
    before, former_folder = function.live(), function.model_folder()
    with _taken_back_on_failure(function, former_folder):
        function.set_model_folder(folder)
        published = function.publish(f"{expected.version.name} {expected.version.version}")
        check(function, published, expected)
        if not before or before.version != published:
            function.move(before, published, _formers(before))
    return _delivery(expected.version, function, published, before)


def _on_s3(function: LambdaFunction, version: str) -> str:
    folder = function.model_folder(version)
    if folder and folder.startswith("s3://"):
        return folder
    raise DeliveryError(
        f"Version {version} of the function {function.name} has no model on S3.",
        "`taxi deploy lambda --version N` brings any version of the model.",
    )


def _delivery(
    model: ModelVersion, function: LambdaFunction, version: str, before: Live | None
) -> Delivery:
    # What is configured is no version to go back to: it is what changes.
    former = before.version if before and before.version != LATEST else None
    return Delivery(
        model, function.name, version, former, function.model_folder(former) if former else None
    )


def _formers(before: Live | None) -> tuple[str, ...]:
    if not before or before.version == LATEST:
        return ()
    return (before.version, *before.formers)


@contextmanager
def _taken_back_on_failure(function: LambdaFunction, folder: str | None) -> Iterator[None]:
    """What is published next has the model that serves, whatever happens in between."""
    try:
        yield
    except BaseException:
        try:
            function.set_model_folder(folder)
        except DeliveryError as error:
            log.warning("the function's configuration could not be put back: %s", error)
        raise
