"""The challenger in shadow: it answers what the champion answered, and only the log sees it.

It works in the thread of the observations, so that no request waits for it.
"""

import logging
from time import perf_counter
from typing import Literal, Protocol, Self

import numpy as np

from duration_service.following import Followed, identity
from duration_service.metrics import CHALLENGER
from duration_service.observations import Answered, Handled
from duration_service.registry import MlflowRegistry
from duration_service.served import Served
from duration_service.shelf import Shelf
from taxi_duration.contract import LoadedFrom, ModelVersion
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)


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
        """Watch the registry for challengers."""
        self.challenger.start()

    def stop(self) -> None:
        """End the watch."""
        self.challenger.stop()

    def observe(self, answered: list[Answered], handled: list[Handled]) -> None:  # noqa: ARG002
        """Answer the same trips by the challenger, and log it."""
        served = self.challenger.served
        if served and (own := [one for one in answered if _differs(one.served, served)]):
            for one in shadow_answers(served, own):
                self.answers.log(one, "challenger")


def shadow_answers(served: Served, answered: list[Answered]) -> list[Answered]:
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


def _differs(champion: Served, challenger: Served) -> bool:
    return identity(champion.version) != identity(challenger.version)
