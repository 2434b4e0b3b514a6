"""Versions of the registered model, and the aliases that say which of them serves.

What is here changes MLflow and nothing else. Whoever moves an alias does it through
`taxi_duration.pipeline.promotion`, which keeps the history.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion as RegisteredVersion
from mlflow.exceptions import MlflowException

from taxi_duration.contract import ModelVersion
from taxi_duration.registry.champion import (
    METRIC_PREFIX,
    MONTHS_TAG,
    SOURCE_TAG,
    metrics_of,
    version,
)
from taxi_duration.registry.client import client, registry_errors
from taxi_duration.registry.gate import GateDecision
from taxi_duration.settings import Settings

DECISION_TAG: Final = "decision"
REASON_TAG: Final = "reason"
# The figures of the decision are tags that begin so.
GATE_PREFIX: Final = "gate."
# What moved an alias to this version, written before it moves.
_CHANGE_PREFIX: Final = "change."


class Challenger(NamedTuple):
    """A logged model with its figures on the test trips, in minutes."""

    model_id: str
    run_id: str
    source: str
    months: list[str]
    metrics: dict[str, float]
    floor_mae: float


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An alias that goes from one version to another; an empty version is none."""

    alias: str
    former: str
    version: str
    # What was done: `promote`, `rollback`, `challenge`, …
    action: str
    by: str
    reason: str
    at: datetime
    # The run of the pipeline that it came from; empty: none.
    run_id: str = ""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version as a list shows it."""

    version: str
    aliases: list[str]
    source: str
    months: list[str]
    # On its test trips: mae, rmse, … in minutes; shares between 0 and 1.
    metrics: dict[str, float]
    # `promoted` or `refused`, why, and the figures of the gate; empty: not decided.
    decision: str
    reason: str
    gate: dict[str, str]
    run_id: str
    # When it was registered, UTC.
    created_at: datetime


def register(settings: Settings, challenger: Challenger) -> ModelVersion:
    """The version of the challenger's model, made where there is none.

    Raises RegistryError; the aliases are what they were.
    """
    with registry_errors(settings):
        registry = client(settings)
        number = _version_of(registry, settings.model_name, challenger.run_id)
        if not number:
            _ensure_registered_model(registry, settings.model_name)
            number = registry.create_model_version(
                settings.model_name,
                source=f"models:/{challenger.model_id}",
                run_id=challenger.run_id,
                model_id=challenger.model_id,
                tags=_tags(challenger),
                await_creation_for=0,
            ).version
    return version(settings, str(number))


def versions(settings: Settings) -> list[Version]:
    """All versions with their aliases, the latest first; none where nothing is registered."""
    with registry_errors(settings):
        registry = client(settings)
        aliases = _aliases(registry, settings.model_name)
        found: list[RegisteredVersion] = []
        token: str | None = None
        while token is None or token:
            page = registry.search_model_versions(
                f"name = '{settings.model_name}'", page_token=token or None
            )
            found += page
            token = page.token or ""
    listed = [_version(each, aliases) for each in found]
    return sorted(listed, key=lambda each: int(each.version), reverse=True)


def holders(settings: Settings) -> dict[str, str]:
    """The version that holds each alias."""
    with registry_errors(settings):
        return _aliases(client(settings), settings.model_name)


def write_decision(settings: Settings, decision: GateDecision, description: str) -> None:
    """Write the decision, its figures and a description on the decision's version."""
    number = decision.version
    tags = {DECISION_TAG: decision.word, REASON_TAG: decision.reason, **_gate_tags(decision)}
    verdict = f"**{decision.word.capitalize()}.** {decision.reason}"
    with registry_errors(settings):
        registry = client(settings)
        for key, value in tags.items():
            registry.set_model_version_tag(settings.model_name, number, key, value)
        registry.update_model_version(settings.model_name, number, f"{verdict}\n\n{description}")


def move(settings: Settings, change: Change) -> None:
    """Give the alias to the version, which says beforehand on a tag why; or take it away."""
    name, alias = settings.model_name, change.alias
    with registry_errors(settings):
        registry = client(settings)
        if not change.version:
            registry.delete_registered_model_alias(name, alias)
            return
        told = msgspec.json.encode(change).decode()
        registry.set_model_version_tag(name, change.version, f"{_CHANGE_PREFIX}{alias}", told)
        registry.set_registered_model_alias(name, alias, change.version)


def told_change(settings: Settings, alias: str, number: str) -> Change | None:
    """What was last to give the alias to the version, as far as it was this project."""
    with registry_errors(settings):
        tags = client(settings).get_model_version(settings.model_name, number).tags
    told = tags.get(f"{_CHANGE_PREFIX}{alias}")
    try:
        return msgspec.json.decode(told, type=Change) if told else None
    except msgspec.DecodeError:
        # A person may have written it.
        return None


def _aliases(registry: MlflowClient, name: str) -> dict[str, str]:
    try:
        found = registry.get_registered_model(name).aliases
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise
    return {alias: str(number) for alias, number in found.items()}


def _version(found: RegisteredVersion, aliases: Mapping[str, str]) -> Version:
    tags, number = found.tags, str(found.version)
    return Version(
        version=number,
        aliases=sorted(alias for alias, holder in aliases.items() if holder == number),
        source=tags.get(SOURCE_TAG, ""),
        months=tags.get(MONTHS_TAG, "").split(),
        metrics=metrics_of(tags),
        decision=tags.get(DECISION_TAG, ""),
        reason=tags.get(REASON_TAG, ""),
        gate=_under(tags, GATE_PREFIX),
        run_id=found.run_id or "",
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
    )


def _under(tags: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): value for name, value in tags.items() if name.startswith(prefix)
    }


def _tags(challenger: Challenger) -> Mapping[str, str]:
    metrics = {**challenger.metrics, "floor_mae": challenger.floor_mae}
    return {
        SOURCE_TAG: challenger.source,
        MONTHS_TAG: " ".join(challenger.months),
        **{f"{METRIC_PREFIX}{name}": f"{value:.6g}" for name, value in metrics.items()},
    }


def _gate_tags(decision: GateDecision) -> dict[str, str]:
    tags = {
        "rival": str(decision.rival),
        "trips": str(decision.rows.trips),
        "decided_at": decision.decided_at.isoformat(),
        "run": decision.candidate.parent_run_id,
    }
    if decision.figures:
        figures = decision.figures
        values = {
            **msgspec.structs.asdict(figures),
            **msgspec.structs.asdict(figures.answers),
        }
        numbers = {name: value for name, value in values.items() if isinstance(value, float)}
        tags |= {name: f"{value:.6g}" for name, value in numbers.items()}
    return {f"{GATE_PREFIX}{name}": value for name, value in tags.items()}


def _version_of(registry: MlflowClient, name: str, run_id: str) -> str:
    """The version that an attempt before this one made of the run; empty where there is none."""
    found = registry.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    return str(found[0].version) if found else ""


def _ensure_registered_model(registry: MlflowClient, name: str) -> None:
    try:
        registry.create_registered_model(
            name,
            description="How long a Chicago taxi trip will take: the median and an 80% interval in"
            " minutes, from the two community areas and the start. The alias `champion` is on the"
            " version that serves, `challenger` on the latest candidate that does not.",
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
