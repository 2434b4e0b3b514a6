"""The end of the drift branch: whom the month concerns, and whether to train again."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from taxi_duration.errors import PipelineError
from taxi_duration.monitoring import retrainings
from taxi_duration.monitoring.alarms import Alarm, Kind, raise_alarm
from taxi_duration.monitoring.judged_months import JudgedMonth, Limits, latest_month, read_judged
from taxi_duration.monitoring.need import Need, Rule, need
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month

log = logging.getLogger(__name__)

PIPELINE: Final = "taxi_duration"
QUEUE: Final = "queue_retraining"
# The trigger that `triggers.yaml` has for runs that are asked for.
TRIGGER: Final = "api"
# What a retraining has from the run that asks for it.
_KEPT: Final = ("month", "city_api", "drill", "seed", "replace_source")

Reference = dict[str, Any]
# Mage's `trigger_pipeline`, which returns the run.
Trigger = Callable[..., Any]


def judge_retraining(settings: Settings, recorded: Reference, run_id: str) -> Reference:
    """Raise the alarms of the month, and decide whether the model is to be trained again.

    Adds `retrain`: `wanted`, `reason`, and the `number` of the decision in Postgres (0: none, since
    nothing was due). A run that a retraining made decides nothing, so that none follows another.
    """
    if recorded["retraining"]:
        return _decided(recorded, Need("none", "This run is a retraining itself."), 0)
    source, month = recorded["source"], Month.parse(recorded["month"])
    months = read_judged(settings, source, month, settings.retrain_windows)
    _tell(settings, recorded, months[-1])
    found = _need(settings, recorded, months, run_id)
    if found.status == "none":
        retrainings.withdraw(settings, source, month, run_id)
        return _decided(recorded, found, 0)
    number = retrainings.write(settings, found, source, months, run_id)
    return _decided(recorded, found, number)


def retraining_wanted(decided: Reference) -> bool:
    """Whether a run is to be queued."""
    return bool(decided["retrain"]["wanted"])


def queue_retraining(
    settings: Settings, decided: Reference, trigger: Trigger, later: Iterable[Any]
) -> Reference:
    """Queue a run that learns the month as well; the gate decides about what comes of it.

    Adds `retraining_run`, its number in Mage. A step that is tried again queues no second one: it
    looks among the `later` runs, those that Mage has got since the one that decided, for one that
    an earlier try queued and was not there any longer to write down.
    Raises PipelineError where Mage starts none; the decision counts as no answer then.
    """
    number = decided["retrain"]["number"]
    run = retrainings.run_of(settings, number)
    if not run:
        run = _queued(decided, trigger, later)
        retrainings.started(settings, number, run)
    log.info("run %s will train again: %s", run, decided["retrain"]["reason"])
    message = f"Run {run} trains the model again. {decided['retrain']['reason']}"
    _raise(settings, decided, "retraining", message)
    return {**decided, "retraining_run": run}


def _queued(decided: Reference, trigger: Trigger, later: Iterable[Any]) -> str:
    """The run that an earlier try queued, or else a new one."""
    variables = _variables(decided)
    try:
        runs = (run for run in later if _retrains(run, variables["retraining"]))
        run = next(runs, None) or trigger(PIPELINE, variables=variables, schedule_name=TRIGGER)
    except Exception as error:  # Mage raises whatever its database and its files come up with
        raise PipelineError(
            f"Mage did not start the retraining: {type(error).__name__}: {error}.",
            "Try the block again in Mage, or run the month again: it is decided anew then.",
        ) from error
    return str(run.id)


def _retrains(run: Any, number: int) -> bool:
    return bool((run.variables or {}).get("retraining") == number)


def _need(settings: Settings, recorded: Reference, months: list[JudgedMonth], run_id: str) -> Need:
    latest = latest_month(settings, recorded["source"])
    if latest and str(latest) > recorded["month"]:
        return Need("none", f"{latest} was reported already, and its run decides.")
    last = retrainings.last_queued(settings, recorded["source"], run_id)
    return need(months, Rule.from_settings(settings), last, datetime.now(UTC))


def _tell(settings: Settings, recorded: Reference, judged: JudgedMonth) -> None:
    limits = Limits.from_settings(settings)
    found: dict[Kind, list[str]] = {
        "drift": judged.grounds(limits),
        "quality": judged.gaps(limits),
    }
    for kind, sentences in found.items():
        if sentences:
            text = "; ".join(sentences)
            _raise(settings, recorded, kind, f"{text}. Report: {recorded['exported']['url']}")


def _raise(settings: Settings, reference: Reference, kind: Kind, message: str) -> None:
    subject = f"{reference['source']} trips of {reference['month']}"
    raise_alarm(
        settings, Alarm(kind=kind, subject=subject, message=message, drill=reference["drill"])
    )


def _decided(recorded: Reference, found: Need, number: int) -> Reference:
    log.info("train again: %s. %s", found.status, found.reason)
    wanted = found.status == "queued"
    return {**recorded, "retrain": {"wanted": wanted, "reason": found.reason, "number": number}}


def _variables(decided: Reference) -> dict[str, Any]:
    """Of the retraining: as the run that asks for it, but with that month in its history."""
    return {
        **{name: decided[name] for name in _KEPT if decided[name] or name == "seed"},
        "history": len(decided["history"]),
        "cap": decided["asked"],
        "retraining": decided["retrain"]["number"],
    }
