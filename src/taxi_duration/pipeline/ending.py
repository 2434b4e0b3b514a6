"""Records how a run of the pipeline ended, for the callback of its blocks."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

from taxi_duration.errors import SettingsError
from taxi_duration.monitoring.runs import record_run
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month

log = logging.getLogger(__name__)

Ending = Literal["completed", "failed", "cancelled"]


def record_ending(settings: Settings, ending: Ending, facts: Mapping[str, Any]) -> None:
    """Write how the run ended.

    `facts` is all that Mage hands to a callback, and what the last block handed on where it did.
    """
    record_run(
        settings,
        {
            "pipeline": facts["pipeline_uuid"],
            "run_id": str(facts["pipeline_run_id"]),
            "status": ending,
            "month": _month(facts),
            "source": str(facts.get("source", "")),
            "started": facts["pipeline_run"].started_at,
            "ended": datetime.now(UTC),
            "error": _error(ending, facts),
        },
    )
    log.info("recorded that run %s %s", facts["pipeline_run_id"], ending)


def _month(facts: Mapping[str, Any]) -> str:
    """The month of the run where it is known: a run may fail because it cannot be read."""
    with suppress(SettingsError):
        return str(Month.parse(str(facts.get("month", ""))))
    return ""


def _error(ending: Ending, facts: Mapping[str, Any]) -> str:
    if ending != "failed":
        return ""
    return f"{facts.get('parent_block_uuid', 'a block')}: {facts.get('__error', 'no reason given')}"
