"""The model that serves, and the watch for the next one."""

import logging
import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self, cast

from flask import current_app

from duration_service.registry import MlflowRegistry, Registry
from duration_service.shelf import Shelf
from taxi_duration.contract import LoadedFrom, ModelVersion, Refusal, RegistryView
from taxi_duration.errors import ModelError, NoModelError, TaxiError
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

EXTENSION: Final = "duration_service.models"
# A champion that failed its check may have been damaged on its way here only.
RETRY_REFUSED: Final = timedelta(minutes=1)
_random = random.SystemRandom()


@dataclass(frozen=True)
class Served:
    """A model that answers; never changed, only replaced whole by another."""

    champion: ModelVersion
    model: DurationModel
    loaded_from: LoadedFrom
    loaded_at: datetime


class ModelHolder:
    """The model of this process: one thread replaces it, requests only read it."""

    def __init__(self, registry: Registry, shelf: Shelf, poll_seconds: float) -> None:
        self.registry = registry
        self.shelf = shelf
        self.poll_seconds = poll_seconds
        self.served: Served | None = None
        self.refused: Refusal | None = None
        self.registry_view = RegistryView()
        self._stopped = threading.Event()

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
        threading.Thread(target=self._watch, name="champion-watch", daemon=True).start()

    def stop(self) -> None:
        """End the watch; the model goes on answering."""
        self._stopped.set()

    def load_last_good(self) -> None:
        """Serve the model that served last on this machine, if there is one."""
        try:
            if kept := self.shelf.last_good():
                self._serve(*kept, "disk")
        except OSError as error:
            log.warning("models cannot be kept on disk: %s", error)

    def look(self) -> None:
        """Ask the registry once, and serve its champion where that is another than now."""
        try:
            champion = self.registry.champion()
            if champion and self._is_news(champion):
                self._take(champion)
        except (
            Exception
        ) as error:  # the watch outlives whatever the network and the disk come up with
            self._saw_registry(error)
        else:
            self._saw_registry(None)
        if self.served is None:
            # Another process of this machine may have fetched one that can be used.
            self.load_last_good()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self.look()
            # While there is no model somebody waits for the first one.
            seconds = self.poll_seconds if self.served else min(self.poll_seconds, 1)
            # With jitter, so that the processes of a fleet do not ask all at once.
            self._stopped.wait(seconds * _random.uniform(0.8, 1.2))

    def _is_news(self, champion: ModelVersion) -> bool:
        if self.served and _identity(self.served.champion) == _identity(champion):
            self.refused = None
            return False
        refused = self.refused
        return (
            refused is None
            or (refused.version, refused.run_id) != (champion.version, champion.run_id)
            or datetime.now(UTC) - refused.at > RETRY_REFUSED
        )

    def _take(self, champion: ModelVersion) -> None:
        try:
            model = self.shelf.fetch(champion, self.registry.download)
        except ModelError as error:
            self.refused = Refusal(champion.version, champion.run_id, str(error), datetime.now(UTC))
            log.warning("model %s is refused: %s", champion.version, error)
        else:
            self._serve(champion, model, "registry")
            self.refused = None

    def _serve(self, champion: ModelVersion, model: DurationModel, loaded_from: LoadedFrom) -> None:
        self.served = Served(champion, model, loaded_from, datetime.now(UTC))
        log.info("model %s answers, from %s", champion.version, loaded_from)

    def _saw_registry(self, error: Exception | None) -> None:
        """Remember how the registry did; log it where that is news."""
        reason = f"{type(error).__name__}: {error}" if error else None
        if reason and reason != self.registry_view.error:
            known = isinstance(error, TaxiError | OSError)
            log.warning("no champion from the registry: %s", reason, exc_info=not known and error)
        elif not reason and self.registry_view.error:
            log.info("the registry answers again")
        self.registry_view = RegistryView(error is None, datetime.now(UTC), reason)


def model_holder() -> ModelHolder:
    """The holder of the application that answers the present request."""
    return cast("ModelHolder", current_app.extensions[EXTENSION])


def _identity(champion: ModelVersion) -> tuple[str, str, str]:
    """A registry that was made anew counts versions from 1 again; run ids never come again."""
    return champion.name, champion.version, champion.run_id
