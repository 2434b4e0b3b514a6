"""One model that is chosen by configuration: there is no registry, and nobody watches."""

from pathlib import Path

import msgspec

from duration_service.champion import ModelHolder
from duration_service.s3_folder import fetched, is_on_s3
from taxi_duration.contract import LoadedFrom, ModelVersion
from taxi_duration.errors import UNREADABLE, ModelError
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.registry.champion import RECORD
from taxi_duration.settings import Settings


def fixed_model(settings: Settings, folder: str) -> ModelHolder:
    """A holder of the model in `folder`, which has the form that the service keeps models in.

    The folder is one of this machine or `s3://<bucket>/<prefix>`. Raises ModelError where it
    cannot be read, has no model, or has one that fails its check.
    """
    holder = ModelHolder.from_settings(settings)
    if is_on_s3(folder):
        with fetched(settings, folder) as files:
            _serve(holder, files, "s3", folder.rstrip("/"))
    else:
        _serve(holder, Path(folder), "disk", str(Path(folder)))
    return holder


def _serve(holder: ModelHolder, folder: Path, loaded_from: LoadedFrom, address: str) -> None:
    model = DurationModel.load(folder, address)
    holder.serve(_version(folder, address), model, loaded_from)


def _version(folder: Path, address: str) -> ModelVersion:
    try:
        return msgspec.json.decode((folder / RECORD).read_bytes(), type=ModelVersion)
    except (OSError, *UNREADABLE) as error:
        raise ModelError(
            f"{address}/{RECORD}, which says which version this is, cannot be read: {error}.",
            "Take a whole folder of `<TAXI_HOME>/service/models` of a machine that served it.",
        ) from error
