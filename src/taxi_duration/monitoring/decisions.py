"""What the gate decided, in Postgres."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from taxi_duration.monitoring.database import connect, migrate, upsert
from taxi_duration.monitoring.tables import gate_decisions
from taxi_duration.registry.gate import AnswerFigures, GateDecision
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month


def record_decision(settings: Settings, decision: GateDecision, page_url: str) -> None:
    """Write a decision, in the place of an earlier one of the same run of the pipeline."""
    with connect(settings) as connection:
        migrate(connection)
        write_decision(connection, settings.model_name, decision, page_url)


def write_decision(
    connection: Connection, model: str, decision: GateDecision, page_url: str
) -> None:
    """The same within a transaction; the tables have to be there."""
    upsert(connection, gate_decisions, [_row(model, decision, page_url)])


def _row(model: str, decision: GateDecision, page_url: str) -> dict[str, Any]:
    candidate, figures = decision.candidate, decision.figures
    names = ("mae", "rival_mae", "floor_mae", "gain", "least_gain", "coverage_80", "milliseconds")
    answers = figures.answers if figures else None
    return {
        "model": model,
        "run_id": candidate.parent_run_id,
        "version": decision.version or None,
        "source": candidate.source,
        "month": Month.parse(candidate.month).start.date(),
        "promoted": decision.promoted,
        "reason": decision.reason,
        "champion": decision.rival.version or None,
        "rival": str(decision.rival),
        "trips": decision.rows.trips,
        **{name: getattr(figures, name) if figures else None for name in names},
        **{
            name: getattr(answers, name) if answers else None
            for name in AnswerFigures.__struct_fields__
        },
        "checks": msgspec.to_builtins(decision.checks),
        "segments": msgspec.to_builtins(figures.segments) if figures else [],
        "page_url": page_url,
        "decided_at": decision.decided_at,
    }
