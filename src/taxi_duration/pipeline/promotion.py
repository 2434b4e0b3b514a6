"""Who serves: the one place that moves an alias, for the pipeline and for a person alike.

An alias lies in MLflow and its history in Postgres, and no transaction spans both. So all of it
happens under a lock of Postgres and in this order: the row of the history is written, the version
is tagged with the change, the alias moves, the row is committed. Whatever fails in between, MLflow
says which version serves, and whoever comes next finds that the history does not end there and
adds what is missing: the change itself where the version's tag tells it, else that it was changed
outside.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import PromotionError, RegistryError
from taxi_duration.monitoring import model_history
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.monitoring.decisions import write_decision
from taxi_duration.monitoring.model_history import ROLLBACK, Period
from taxi_duration.registry import versions
from taxi_duration.registry.champion import ALIAS, CHALLENGER, load, version
from taxi_duration.registry.gate import GateDecision, void
from taxi_duration.registry.versions import Change
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

PROMOTE: Final = "promote"
CHALLENGE: Final = "challenge"
OUTSIDE: Final = "changed outside"
UNKNOWN: Final = "unknown"
PIPELINE: Final = "pipeline"
_NOT_SEEN: Final = "It was changed by other means than this project's, or its record was lost."


class Cause(NamedTuple):
    """What is done to an alias, by whom or what, and why; `run_id`: the pipeline's run."""

    action: str
    by: str
    reason: str
    run_id: str = ""


@dataclass(frozen=True)
class Aliases:
    """The aliases of the model, for whoever has the lock."""

    settings: Settings
    connection: Connection
    # The version that holds each alias.
    holders: dict[str, str]

    @property
    def champion(self) -> str:
        """The version that serves; empty: none."""
        return self.holders.get(ALIAS, "")

    def changes(self, alias: str) -> list[Change]:
        """What the history tells of an alias."""
        return model_history.changes(self.connection, self.settings.model_name, alias)

    def move(self, alias: str, number: str, cause: Cause) -> None:
        """Give an alias to a version (empty: take it away) and add that to the history."""
        former = self.holders.get(alias, "")
        if former == number:
            return
        change = self._change(alias, former, number, cause)
        # First, so that where the history cannot be written nothing moves.
        model_history.append(self.connection, self.settings.model_name, change)
        versions.move(self.settings, change)
        self.holders[alias] = number
        log.info("%s: version %s instead of %s", alias, number or "none", former or "none")

    def promote(self, number: str, cause: Cause) -> None:
        """Let a version serve; it is no challenger any more."""
        if self.holders.get(CHALLENGER) == number:
            self.move(CHALLENGER, "", cause)
        # Last, so that whatever fails before leaves the former champion.
        self.move(ALIAS, number, cause)

    def mend(self) -> None:
        """Add to the history what is missing of it, so that it ends where the aliases are."""
        for alias in (ALIAS, CHALLENGER):
            known, now = self.changes(alias), self.holders.get(alias, "")
            last = known[-1] if known else None
            former = last.version if last else ""
            if now == former:
                continue
            outside = Cause(OUTSIDE, UNKNOWN, _NOT_SEEN)
            missing = self._lost(alias, last, now) or self._change(alias, former, now, outside)
            model_history.append(self.connection, self.settings.model_name, missing)
            log.warning("%s is version %s: %s", alias, now or "none", missing.reason)

    def _change(self, alias: str, former: str, number: str, cause: Cause) -> Change:
        return Change(
            alias=alias,
            former=former,
            version=number,
            action=cause.action,
            by=cause.by,
            reason=cause.reason,
            run_id=cause.run_id,
            at=model_history.moment(self.connection),
        )

    def _lost(self, alias: str, last: Change | None, now: str) -> Change | None:
        """The change that moved the alias, but was not committed to the history."""
        told = versions.told_change(self.settings, alias, now) if now else None
        expected = (alias, last.version if last else "", now)
        if not told or (told.alias, told.former, told.version) != expected:
            return None
        return None if last and told.at <= last.at else told


@contextmanager
def aliases(settings: Settings) -> Iterator[Aliases]:
    """The aliases, while nobody else changes them, with a history that ends where they are.

    What is added to the history is committed at the end, if nothing raises. Raises MonitoringError
    where Postgres, RegistryError where MLflow cannot be reached.
    """
    upgrade(settings)
    with connect(settings) as connection:
        model_history.lock(connection, settings.model_name)
        held = Aliases(settings, connection, versions.holders(settings))
        held.mend()
        yield held


def settle(
    settings: Settings, decision: GateDecision, description: str, page_url: str
) -> GateDecision:
    """Carry out the gate's decision on its version, and record it; returns what was done.

    A decision to promote is void where another champion serves than the one that was compared.
    Raises DamagedModelError where the version's files are not whole any more.
    """
    number, run_id = decision.version, decision.candidate.parent_run_id
    if decision.promoted:
        load(settings, version(settings, number))
    with aliases(settings) as held:
        if decision.promoted and held.champion not in {decision.rival.version, number}:
            decision = void(decision, held.champion)
        if held.champion != number:
            new = Cause(CHALLENGE, PIPELINE, "It is the latest candidate.", run_id)
            held.move(CHALLENGER, number, new)
        versions.write_decision(settings, decision, description)
        write_decision(held.connection, settings.model_name, decision, page_url)
        if decision.promoted:
            held.promote(number, Cause(PROMOTE, PIPELINE, decision.reason, run_id))
    return decision


def promote(
    settings: Settings, number: str, by: str, reason: str, *, replace_source: bool = False
) -> ModelVersion:
    """Let a version serve because a person says so; the model has to be whole.

    Raises PromotionError where there is no reason, where it serves already, or where the champion
    is of another source and `replace_source` does not allow that.
    """
    if not reason.strip():
        raise PromotionError("A promotion by hand needs a reason.", "Give one: --reason TEXT.")
    wanted = version(settings, number)
    load(settings, wanted)
    # As the registry writes it: it knows version 2 as 02 too, and the history would not.
    number = wanted.version
    with aliases(settings) as held:
        if held.champion == number:
            raise PromotionError(f"Version {number} serves already.")
        if held.champion and not replace_source:
            _raise_if_of_another_source(wanted, version(settings, held.champion))
        held.promote(number, Cause(PROMOTE, by, reason))
    return wanted


def rollback(settings: Settings, by: str, reason: str) -> ModelVersion:
    """Let the former champion serve again; the next rollback goes further back.

    Raises PromotionError where there is none, DamagedModelError where its model is not whole.
    """
    with aliases(settings) as held:
        number = model_history.former(held.changes(ALIAS))
        if not number:
            raise PromotionError(
                "There is no former champion.", "`taxi model promote` takes any version."
            )
        former = version(settings, number)
        load(settings, former)
        held.promote(number, Cause(ROLLBACK, by, reason))
    return former


def history(settings: Settings, alias: str = "") -> list[Period]:
    """Which version held an alias from when to when, and why; the earliest first.

    Without MLflow the history is told as far as it is known.
    """
    try:
        with aliases(settings):
            pass
    except RegistryError as error:
        log.warning("what happened outside of this project is not known: %s", error)
    return model_history.history(settings, alias)


def _raise_if_of_another_source(wanted: ModelVersion, serving: ModelVersion) -> None:
    if wanted.source != serving.source:
        raise PromotionError(
            f"Version {wanted.version} was trained on {wanted.source} trips, champion"
            f" {serving.version} on {serving.source} ones.",
            "--replace-source allows the change.",
        )
