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
from taxi_duration.errors import ModelError, RegistryError, TaxiError
from taxi_duration.model.duration_model import DurationModel

log = logging.getLogger(__name__)

# A version that failed its check may have been damaged on its way here only.
RETRY_REFUSED: Final = timedelta(minutes=1)
# While there is no champion somebody waits for the first one: it is looked for so often.
FIRST_SECONDS: Final = 1
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
        self._error: Exception | None = None
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
        except RegistryError as error:
            self._tell(error)
            self.saw_registry(_words(error))
        except Exception as error:  # the watch outlives whatever else comes up
            self._tell(error)
        else:
            self._tell(None)
            self.saw_registry(None)

    def find(self) -> ModelVersion | None:
        """The version that the registry has for this role."""
        return self.registry.champion()

    def without(self) -> None:
        """The registry has none: the one that is here goes on."""

    def saw_registry(self, fault: str | None) -> None:
        """What a look came to: what was wrong with the registry, or None."""

    def serve(self, version: ModelVersion, model: DurationModel, loaded_from: LoadedFrom) -> None:
        """Replace the model, whole."""
        self.served = Served(version, model, loaded_from, datetime.now(UTC))
        RELOADS.labels(self.role).inc()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self.look()
            waited_for = self.role == "champion" and not self.served
            soonest = min(self.poll_seconds, FIRST_SECONDS)
            seconds = soonest if waited_for else self.poll_seconds
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
            # Also where the clock was set back since.
            or abs(datetime.now(UTC) - refused.at) > RETRY_REFUSED
        )

    def _take(self, found: ModelVersion) -> None:
        try:
            model = self.shelf.fetch(found, self.registry.download)
        except RegistryError:
            raise
        except Exception as error:  # a full disk is no fault of the registry's
            self._refuse(found, error)
        else:
            self.serve(found, model, "registry")
            self.refused = None

    def _refuse(self, found: ModelVersion, error: Exception) -> None:
        reason = str(error) if isinstance(error, ModelError) else _words(error)
        self.refused = Refusal(found.version, found.run_id, reason, datetime.now(UTC))
        REFUSALS.labels(self.role).inc()
        log.warning(
            "%s %s is refused: %s", self.role, found.version, reason, exc_info=_if_unknown(error)
        )

    def _tell(self, error: Exception | None) -> None:
        """Log what went wrong, or that nothing does any longer, where that is news."""
        before, self._error = self._error, error
        if error and not (before and _words(before) == _words(error)):
            what = "from the registry" if isinstance(error, RegistryError) else "was found"
            log.warning("no %s %s: %s", self.role, what, _words(error), exc_info=_if_unknown(error))
        elif not error and isinstance(before, RegistryError):
            log.info("the registry answers again")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _if_unknown(error: Exception) -> Exception | None:
    """The error, where only its traceback says what happened."""
    return None if isinstance(error, TaxiError | OSError) else error


def identity(version: ModelVersion) -> tuple[str, str, str]:
    """A registry that was made anew counts versions from 1 again; run ids never come again."""
    return version.name, version.version, version.run_id
