"""A model of the registry, followed: one thread looks for it, whoever needs it only reads it."""

import logging
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from duration_service.metrics import REFUSALS, RELOADS
from duration_service.registry import Registry
from duration_service.served import Served
from duration_service.shelf import Shelf
from taxi_duration.contract import LoadedFrom, ModelVersion, Refusal
from taxi_duration.errors import ModelError, TaxiError
from taxi_duration.model.duration_model import DurationModel

log = logging.getLogger(__name__)

# A version that failed its check may have been damaged on its way here only.
RETRY_REFUSED: Final = timedelta(minutes=1)
_random = random.SystemRandom()


class Followed:
    """The model that this process has of one role, and the watch for the next one."""

    role = "champion"

    def __init__(self, registry: Registry, shelf: Shelf, poll_seconds: float) -> None:
        self.registry = registry
        self.shelf = shelf
        self.poll_seconds = poll_seconds
        self.served: Served | None = None
        self.refused: Refusal | None = None
        self._fault: str | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Watch the registry from a thread."""
        threading.Thread(target=self._watch, name=f"{self.role}-watch", daemon=True).start()

    def stop(self) -> None:
        """End the watch; the model goes on answering."""
        self._stopped.set()

    def look(self) -> None:
        """Ask the registry once, and take what it has where that is another than now."""
        try:
            found = self.find()
            if found is None:
                self.without()
            elif self._is_news(found):
                self._take(found)
        except (
            Exception
        ) as error:  # the watch outlives whatever the network and the disk come up with
            self.saw_registry(self._told(error))
        else:
            self.saw_registry(self._told(None))

    def find(self) -> ModelVersion | None:
        """The version that the registry has for this role."""
        return self.registry.champion()

    def without(self) -> None:
        """The registry has none: the one that is here goes on."""

    def saw_registry(self, fault: str | None) -> None:
        """What a look came to: what went wrong, or None."""

    def serve(self, version: ModelVersion, model: DurationModel, loaded_from: LoadedFrom) -> None:
        """Replace the model, whole."""
        self.served = Served(version, model, loaded_from, datetime.now(UTC))
        RELOADS.labels(self.role).inc()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self.look()
            # While there is no champion somebody waits for the first one.
            waited_for = self.role == "champion" and not self.served
            seconds = min(self.poll_seconds, 1) if waited_for else self.poll_seconds
            # With jitter, so that the processes of a fleet do not ask all at once; never later
            # than the interval, within which all of them are to agree.
            self._stopped.wait(seconds * _random.uniform(0.7, 1))

    def _is_news(self, found: ModelVersion) -> bool:
        if self.served and identity(self.served.version) == identity(found):
            self.refused = None
            return False
        refused = self.refused
        return (
            refused is None
            or (refused.version, refused.run_id) != (found.version, found.run_id)
            or datetime.now(UTC) - refused.at > RETRY_REFUSED
        )

    def _take(self, found: ModelVersion) -> None:
        try:
            model = self.shelf.fetch(found, self.registry.download)
        except ModelError as error:
            self.refused = Refusal(found.version, found.run_id, str(error), datetime.now(UTC))
            REFUSALS.labels(self.role).inc()
            log.warning("%s %s is refused: %s", self.role, found.version, error)
        else:
            self.serve(found, model, "registry")
            self.refused = None

    def _told(self, error: Exception | None) -> str | None:
        """What went wrong, in words; logged where that is news."""
        fault = f"{type(error).__name__}: {error}" if error else None
        if fault and fault != self._fault:
            unknown = None if isinstance(error, TaxiError | OSError) else error
            log.warning("no %s from the registry: %s", self.role, fault, exc_info=unknown)
        elif not fault and self._fault:
            log.info("the registry answers again")
        self._fault = fault
        return fault


def identity(version: ModelVersion) -> tuple[str, str, str]:
    """A registry that was made anew counts versions from 1 again; run ids never come again."""
    return version.name, version.version, version.run_id
