"""One model that is chosen by configuration: there is no registry, and nobody watches."""

from pathlib import Path

import msgspec

from duration_service.champion import ModelHolder
from duration_service.shelf import RECORD
from taxi_duration.contract import ModelVersion
from taxi_duration.errors import ModelError
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.settings import Settings


def fixed_model(settings: Settings, folder: Path) -> ModelHolder:
    """A holder of the model in `folder`, which has the form that the service keeps models in.

    Raises ModelError where the folder has no model, or one that fails its check.
    """
    holder = ModelHolder.from_settings(settings)
    model = DurationModel.load(folder)
    holder.serve(_version(folder), model, "disk")
    return holder


def _version(folder: Path) -> ModelVersion:
    try:
        return msgspec.json.decode((folder / RECORD).read_bytes(), type=ModelVersion)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(
            f"{folder / RECORD}, which says which version this is, cannot be read: {error}.",
            "Take a whole folder of `<TAXI_HOME>/service/models` of a machine that served it.",
        ) from error
