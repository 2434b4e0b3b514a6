"""The challenger in shadow: it answers what the champion answered, and only the log sees it.

It works in a thread of its own, so that neither a request nor the champion's log waits for it. What
it does not get through is left out, and counted.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from time import perf_counter
from typing import Final, Literal, Protocol, Self

import numpy as np

from duration_service.following import Followed, identity
from duration_service.metrics import CHALLENGER, SHADOW_LEFT_OUT
from duration_service.observations import Answered, Handled
from duration_service.registry import MlflowRegistry
from duration_service.served import Served
from duration_service.shelf import Shelf
from taxi_duration.contract import LoadedFrom, ModelVersion
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

EXTENSION: Final = "duration_service.shadow"
# Trips that may wait for the challenger or be with it, in one process: some 20 MB. It is the
# longest list that a request may have by default, four times.
MOST_WAITING: Final = 40_000
# What waits when the service ends is answered yet, for so long.
STOP_SECONDS: Final = 5


class AnswerLog(Protocol):
    """Where shadow answers go."""

    def log(self, answered: Answered, role: Literal["challenger"]) -> None:
        """Keep these answers of a model in that role."""


class ChallengerHolder(Followed):
    """The challenger of this process, as long as the registry has one."""

    role = "challenger"

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """A holder for the settings' registry, with a shelf of its own."""
        shelf = Shelf(settings.home / "service" / "challengers", settings.model_name)
        return cls(MlflowRegistry(settings), shelf, settings.model_poll_seconds)

    def find(self) -> ModelVersion | None:
        """The version that holds the alias `challenger`."""
        return self.registry.challenger()

    def without(self) -> None:
        """It was promoted, or given up: nothing runs in shadow."""
        self._show(None)
        self.served = self.refused = None

    def serve(self, version: ModelVersion, model: DurationModel, loaded_from: LoadedFrom) -> None:
        """Let another model answer in shadow."""
        self._show(version)
        super().serve(version, model, loaded_from)
        log.info("challenger %s answers in shadow", version.version)

    def _show(self, version: ModelVersion | None) -> None:
        if self.served:
            before = self.served.version
            CHALLENGER.labels(before.version, before.run_id).set(0)
            if not version:
                log.info("challenger %s answers no longer", before.version)
        if version:
            CHALLENGER.labels(version.version, version.run_id).set(1)


class Shadow:
    """The observer that has the challenger answer what the champion answered."""

    def __init__(self, challenger: ChallengerHolder, answers: AnswerLog) -> None:
        self.challenger = challenger
        self.answers = answers
        self._queue: deque[Answered] = deque()
        # Trips in the queue, and those that are being answered.
        self._waiting = 0
        self._stopped = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    @classmethod
    def from_settings(cls, settings: Settings, answers: AnswerLog | None) -> Self | None:
        """The shadow that the settings ask for, None where they do not; it does not watch yet.

        Without a log nobody would see what it answers, so there is none either.
        """
        if not settings.shadow:
            return None
        if answers is None:
            log.warning("no challenger answers in shadow: predictions are not logged")
            return None
        return cls(ChallengerHolder.from_settings(settings), answers)

    def start(self) -> None:
        """Answer from a thread what is observed; whoever has the challenger watches for it."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, once it has answered what waits or has had STOP_SECONDS for it."""
        self.challenger.stop()
        with self._news:
            self._stopped = True
            self._news.notify()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        with self._news:
            SHADOW_LEFT_OUT.inc(self._waiting)

    def observe(self, answered: list[Answered], handled: list[Handled]) -> None:  # noqa: ARG002
        """Let the same trips wait for the challenger, as far as there is room for them."""
        served = self.challenger.served
        own = _others(answered, served) if served else []
        with self._news:
            for one in own:
                self._wait_or_leave_out(one)
            self._news.notify()

    def answer_waiting(self) -> None:
        """Have the challenger answer all that waits, and log it."""
        with self._news:
            taken = list(self._queue)
            self._queue.clear()
        served = self.challenger.served
        try:
            # The challenger may have gone meanwhile, or be the champion now.
            if served and (own := _others(taken, served)):
                for one in shadow_answers(served, own):
                    self.answers.log(one, "challenger")
        except Exception:
            SHADOW_LEFT_OUT.inc(_trips(taken))
            raise
        finally:
            with self._news:
                self._waiting -= _trips(taken)

    def _wait_or_leave_out(self, one: Answered) -> None:
        trips = len(one.features)
        # A list that is longer than the bound has its turn where nothing else waits.
        if self._waiting and self._waiting + trips > MOST_WAITING:
            SHADOW_LEFT_OUT.inc(trips)
        else:
            self._queue.append(one)
            self._waiting += trips

    def _run(self) -> None:
        while self._has_work():
            try:
                self.answer_waiting()
            except Exception:  # a challenger's fault ends neither the shadow nor the service
                log.exception("the challenger failed")

    def _has_work(self) -> bool:
        """Wait for something to answer; False where all is answered and no more comes."""
        with self._news:
            self._news.wait_for(lambda: self._queue or self._stopped)
            return bool(self._queue)


def shadow_answers(served: Served, answered: Sequence[Answered]) -> list[Answered]:
    """What `served` says of the same trips; each is given its share of the time that all took."""
    began = perf_counter()
    # All at once: a booster's call costs more than a row.
    minutes = served.model.predict(np.concatenate([one.features for one in answered]))
    seconds_per_trip = (perf_counter() - began) / len(minutes)
    lengths = [len(one.features) for one in answered]
    parts = np.split(minutes, np.cumsum(lengths)[:-1])
    return [
        one._replace(minutes=part, served=served, seconds=seconds_per_trip * length)
        for one, part, length in zip(answered, parts, lengths, strict=True)
    ]


def _others(answered: Sequence[Answered], challenger: Served) -> list[Answered]:
    """What another model answered: one that was promoted does not answer beside itself."""
    own = identity(challenger.version)
    return [one for one in answered if identity(one.served.version) != own]


def _trips(answered: Sequence[Answered]) -> int:
    return sum(len(one.features) for one in answered)
