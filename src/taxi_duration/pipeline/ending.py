"""Records how a run of the pipeline ended, for the callback of its blocks."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, Literal

from taxi_duration.errors import SettingsError, TripsError
from taxi_duration.monitoring.alarms import Alarm, raise_alarm
from taxi_duration.monitoring.retrainings import is_queued
from taxi_duration.monitoring.runs import record_run
from taxi_duration.pipeline.drilling import is_drill
from taxi_duration.pipeline.loop import QUEUE
from taxi_duration.settings import Settings
from taxi_duration.simulation.source import DRILL
from taxi_duration.trips.months import Month

log = logging.getLogger(__name__)

_FINISHED: Final = ("completed", "condition_failed")

Ending = Literal["completed", "failed", "cancelled"]


def is_over(settings: Settings, run: Any) -> bool:
    """Whether Mage's run has nothing left to do, seen from the callback of a block that ended.

    The step that queues a retraining comes last and has no callback where it is skipped.
    """
    left = {each.block_uuid for each in run.block_runs if each.status.value not in _FINISHED}
    if left == {QUEUE}:
        return not is_queued(settings, str(run.id), run.started_at)
    return not left


def record_ending(settings: Settings, ending: Ending, facts: Mapping[str, Any]) -> None:
    """Write how the run ended; a run that failed raises an alarm, which takes longer.

    `facts` is all that Mage hands to a callback, and what the last block handed on where it did.
    """
    source = DRILL if is_drill(facts) else str(facts.get("source", ""))
    error = _error(ending, facts)
    run = {
        "pipeline": facts["pipeline_uuid"],
        "run_id": str(facts["pipeline_run_id"]),
        "status": ending,
        "month": _month(facts),
        "source": source,
        "started": facts["pipeline_run"].started_at,
        "ended": datetime.now(UTC),
        "error": error,
    }
    try:
        record_run(settings, run)
    finally:
        # Where Postgres is away a person is told all the same.
        if error:
            _alarm(settings, facts, error)
    log.info("recorded that run %s %s", facts["pipeline_run_id"], ending)


def _alarm(settings: Settings, facts: Mapping[str, Any], error: str) -> None:
    """Tell a person; trips that were refused left those that were there before as they are."""
    refused = isinstance(facts.get("__error"), TripsError)
    run = f"run {facts['pipeline_run_id']} of {facts['pipeline_uuid']}"
    raise_alarm(
        settings,
        Alarm(
            kind="data refused" if refused else "run failed",
            subject=f"{run}, started {facts['pipeline_run'].started_at:%Y-%m-%d %H:%M} UTC",
            message=f"{error} The run: {settings.mage_pages}/pipelines/{facts['pipeline_uuid']}"
            f"/runs/{facts['pipeline_run_id']}",
            drill=is_drill(facts),
        ),
    )


def _month(facts: Mapping[str, Any]) -> str:
    """The month of the run where it is known: a run may fail because it cannot be read."""
    with suppress(SettingsError):
        return str(Month.parse(str(facts.get("month", ""))))
    return ""


def _error(ending: Ending, facts: Mapping[str, Any]) -> str:
    if ending != "failed":
        return ""
    return f"{facts.get('parent_block_uuid', 'a block')}: {facts.get('__error', 'no reason given')}"
