"""The end of the training branch, one function a block: the gate decides, the registry follows.

A candidate that is refused is no failure: that is the gate at work.
"""

import logging
from typing import Any

from taxi_duration.monitoring.decisions import record_decision
from taxi_duration.pipeline.judging import judge
from taxi_duration.pipeline.promotion import settle
from taxi_duration.pipeline.training import model_info
from taxi_duration.pipeline.training_tables import TEST
from taxi_duration.registry import decisions
from taxi_duration.registry.candidates import FLOOR, SERVABLE
from taxi_duration.registry.champion import champion
from taxi_duration.registry.client import registry_errors
from taxi_duration.registry.description import describe
from taxi_duration.registry.gate import GateDecision
from taxi_duration.registry.runs import Runs
from taxi_duration.registry.versions import Challenger, register
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

Reference = dict[str, Any]


def gate(settings: Settings, evaluated: Reference) -> Reference:
    """Decide whether the candidate takes the champion's place, on the same later trips.

    Stores the decision in the pipeline's run and in Postgres. Adds `decision` (promoted, reason,
    rival, and the page's address) and `champion_metrics`, empty where no champion can be scored.
    A step that is tried again after its candidate began to serve decides as it did.
    """
    with registry_errors(settings):
        runs = Runs.connect(settings)
        with runs.ending(evaluated["run_id"]):
            decision, metrics = _decided(settings, evaluated) or judge(settings, evaluated)
            page = decisions.publish(settings, runs, decision)
            if metrics:
                runs.record(evaluated["run_id"], metrics={"champion_mae": metrics["mae"]})
    record_decision(settings, decision, page)
    _tell(decision, page)
    told = {
        "promoted": decision.promoted,
        "reason": decision.reason,
        "rival": decision.rival.version or FLOOR,
        "page": page,
    }
    return {**evaluated, "decision": told, "champion_metrics": metrics}


def register_model(settings: Settings, gated: Reference) -> Reference:
    """Register the candidate and carry out the gate's decision on it.

    Adds `version`, `champion` (the version that holds the alias now, or empty), `promoted` and
    `reason`. The decision is void where another champion serves than the one that was compared.
    """
    with registry_errors(settings):
        runs = Runs.connect(settings)
        with runs.ending(gated["run_id"]):
            registered = register(settings, _challenger(gated))
            decision = decisions.read(settings, gated["run_id"]).of_version(registered.version)
            page = gated["decision"]["page"]
            decision = settle(settings, decision, _description(settings, gated), page)
            decisions.publish(settings, runs, decision)
            tags = {
                "version": decision.version,
                "decision": decision.word,
                "reason": decision.reason,
            }
            runs.record(gated["run_id"], tags=tags)
    log.info("model %s is %s: %s", decision.version, decision.word, decision.reason)
    holder = champion(settings)
    return {
        **gated,
        "version": decision.version,
        "champion": holder.version if holder else "",
        "promoted": decision.promoted,
        "reason": decision.reason,
    }


def _decided(
    settings: Settings, evaluated: Reference
) -> tuple[GateDecision, dict[str, float]] | None:
    """The decision by which the candidate serves already: it is not compared with itself."""
    holder = champion(settings)
    if not holder or holder.run_id != evaluated["candidates"][SERVABLE]:
        return None
    return decisions.read(settings, evaluated["run_id"]), {}


def _tell(decision: GateDecision, page: str) -> None:
    for check in decision.checks:
        log.info("%s %s: %s", "kept  " if check.passed else "broken", check.name, check.said)
    for note in decision.notes:
        log.info("note: %s", note)
    log.info("The candidate is to be %s. The whole decision: %s", decision.word, page)


def _challenger(gated: Reference) -> Challenger:
    return Challenger(
        model_id=gated["model_id"],
        run_id=gated["candidates"][SERVABLE],
        source=gated["source"],
        months=gated["history"],
        metrics=gated["metrics"][SERVABLE],
        floor_mae=gated["metrics"][FLOOR]["mae"],
    )


def _description(settings: Settings, gated: Reference) -> str:
    figures = dict(gated["metrics"])
    if gated["champion_metrics"]:
        figures[f"champion (version {gated['decision']['rival']})"] = gated["champion_metrics"]
    tested = gated["features"][TEST]
    return describe(model_info(settings, gated), gated["month"], tested, figures)
