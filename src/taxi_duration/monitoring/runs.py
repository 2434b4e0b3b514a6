"""How the runs of the pipelines ended."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from taxi_duration.monitoring.database import connect, migrate, upsert
from taxi_duration.monitoring.tables import pipeline_runs
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month


class PipelineRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run; empty text and None mean that it is not known. Times without a zone are UTC."""

    pipeline: str
    run_id: str
    status: str
    month: str = ""
    source: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""


def record_run(settings: Settings, run: dict[str, Any]) -> None:
    """Write how a run ended, in the place of what was written of it before.

    `run` has the names of PipelineRun; times are datetimes or ISO text, a number is read as text.
    """
    known = msgspec.convert({**run, "run_id": str(run["run_id"])}, PipelineRun)
    row = {
        "pipeline": known.pipeline,
        "run_id": known.run_id,
        "month": Month.parse(known.month).start.date() if known.month else None,
        "source": known.source or None,
        "status": known.status,
        "started_at": _utc(known.started),
        "ended_at": _utc(known.ended),
        "error": known.error or None,
    }
    with connect(settings) as connection:
        migrate(connection)
        upsert(connection, pipeline_runs, [row])


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
