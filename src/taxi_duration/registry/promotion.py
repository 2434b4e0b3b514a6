"""Which version serves: the rules, and the registration of a new version under them."""

import logging
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from taxi_duration.registry.champion import (
    ALIAS,
    METRIC_PREFIX,
    MONTHS_TAG,
    SOURCE_TAG,
    Champion,
    champion,
    load,
    version,
)
from taxi_duration.registry.client import client, registry_errors
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

DECISION_TAG: Final = "decision"
REASON_TAG: Final = "reason"


class Decision(msgspec.Struct, frozen=True):
    """Whether a version becomes the champion, and why."""

    promoted: bool
    reason: str


class Challenger(NamedTuple):
    """A logged model with its figures on the test trips, in minutes."""

    model_id: str
    run_id: str
    source: str
    months: list[str]
    metrics: dict[str, float]
    floor_mae: float


class Comparison(NamedTuple):
    """The champion that a challenger was compared with, on the same test trips.

    `version` is empty where there was none; `fault` says why it could not be scored.
    """

    version: str = ""
    source: str = ""
    mae: float = 0.0
    fault: str = ""


def decide(challenger: Challenger, against: Comparison, *, replace_source: bool) -> Decision:
    """Promote a challenger of the champion's source that is better on the same trips.

    Where there is no champion, or none that can be scored, it has to beat the floor.
    `replace_source` lets it take the place of a champion of another source.
    """
    mae, floor = challenger.metrics["mae"], challenger.floor_mae
    if against.version and against.source != challenger.source and not replace_source:
        return Decision(
            False,
            f"Its source is {challenger.source}, that of champion {against.version} is"
            f" {against.source}. The variable replace_source allows the change.",
        )
    if against.version and not against.fault:
        rival, limit = f"champion {against.version}", against.mae
    elif against.version:
        rival, limit = f"the floor (champion {against.version} fails: {against.fault})", floor
    else:
        rival, limit = "the floor (there is no champion yet)", floor
    better = mae < limit
    verdict = "better than" if better else "not better than"
    return Decision(better, f"MAE {mae:.3f} min is {verdict} the {limit:.3f} min of {rival}.")


def register(settings: Settings, challenger: Challenger) -> Champion:
    """The version of the challenger's model, made where there is none, with its model checked.

    Raises RegistryError or DamagedModelError; the champion is then what it was.
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
    registered = version(settings, str(number))
    load(settings, registered)
    return registered


def settle(
    settings: Settings,
    registered: Champion,
    decision: Decision,
    against: Comparison,
    description: str,
) -> Decision:
    """Write the decision on the version and, where it was promoted, move the alias to it.

    A champion that is another one than was compared with stays. Returns what was done.
    """
    now = champion(settings)
    holder = now.version if now else ""
    if decision.promoted and holder not in {against.version, registered.version}:
        reason = f"Version {holder} became champion while this one was compared with another."
        decision = Decision(False, reason)
    with registry_errors(settings):
        registry = client(settings)
        name, number = settings.model_name, registered.version
        word = "promoted" if decision.promoted else "refused"
        registry.set_model_version_tag(name, number, DECISION_TAG, word)
        registry.set_model_version_tag(name, number, REASON_TAG, decision.reason)
        verdict = f"**{word.capitalize()}.** {decision.reason}"
        registry.update_model_version(name, number, f"{verdict}\n\n{description}")
        # Last, so that whatever fails before leaves the former champion.
        if decision.promoted:
            registry.set_registered_model_alias(name, ALIAS, number)
    log.info("model %s is %s: %s", number, word, decision.reason)
    return decision


def _tags(challenger: Challenger) -> Mapping[str, str]:
    metrics = {**challenger.metrics, "floor_mae": challenger.floor_mae}
    return {
        SOURCE_TAG: challenger.source,
        MONTHS_TAG: " ".join(challenger.months),
        **{f"{METRIC_PREFIX}{name}": f"{value:.6g}" for name, value in metrics.items()},
    }


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
            " version that serves.",
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
