"""The model that serves."""

import logging
from datetime import UTC, datetime
from typing import Final, Self, cast

from flask import current_app

from duration_service.following import Followed
from duration_service.metrics import MODEL, REGISTRY_UP
from duration_service.registry import MlflowRegistry, Registry
from duration_service.served import Served
from duration_service.shelf import Shelf
from taxi_duration.contract import LoadedFrom, ModelVersion, RegistryView
from taxi_duration.errors import NoModelError
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

__all__ = ["EXTENSION", "ModelHolder", "Served", "model_holder"]

EXTENSION: Final = "duration_service.models"


class ModelHolder(Followed):
    """The champion of this process: one thread replaces it, requests only read it."""

    def __init__(self, registry: Registry, shelf: Shelf, poll_seconds: float) -> None:
        super().__init__(registry, shelf, poll_seconds)
        self.registry_view = RegistryView()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """A holder for the settings' registry, with its shelf under the settings' home."""
        shelf = Shelf(settings.home / "service" / "models", settings.model_name)
        return cls(MlflowRegistry(settings), shelf, settings.model_poll_seconds)

    def serving(self) -> Served:
        """The model that answers. Raises NoModelError where there is none yet."""
        if self.served is None:
            raise NoModelError(
                "There is no model yet.", "One answers soon after the registry has a champion."
            )
        return self.served

    def start(self) -> None:
        """Serve this machine's last good model at once; watch the registry from a thread."""
        self.load_last_good()
        super().start()

    def load_last_good(self) -> None:
        """Serve the model that served last on this machine, if there is one."""
        try:
            if kept := self.shelf.last_good():
                self.serve(*kept, "disk")
        except Exception as error:  # the service starts, whatever the disk comes up with
            unknown = None if isinstance(error, OSError) else error
            log.warning("no model can be taken from the disk: %s", error, exc_info=unknown)

    def serve(self, version: ModelVersion, model: DurationModel, loaded_from: LoadedFrom) -> None:
        """Replace the model, whole."""
        before = self.served
        super().serve(version, model, loaded_from)
        log.info("model %s answers, from %s", version.version, loaded_from)
        if before:
            # A series of another process cannot be taken away; what is 0 is not shown.
            MODEL.labels(*_labels(before.version)).set(0)
        MODEL.labels(*_labels(version)).set(1)

    def saw_registry(self, fault: str | None) -> None:
        """Keep what a look came to; without a model, take what another process has fetched."""
        self.registry_view = RegistryView(fault is None, datetime.now(UTC), fault)
        REGISTRY_UP.set(fault is None)
        if self.served is None:
            self.load_last_good()


def model_holder() -> ModelHolder:
    """The holder of the application that answers the present request."""
    return cast("ModelHolder", current_app.extensions[EXTENSION])


def _labels(version: ModelVersion) -> tuple[str, str, str]:
    return version.version, version.run_id, version.source
