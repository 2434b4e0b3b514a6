"""Decisions of the gate for the tests, of a candidate that keeps every rule unless changed."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from taxi_duration.model.comparison import SegmentFigures
from taxi_duration.registry.gate import (
    AnswerFigures,
    Candidate,
    Figures,
    GateDecision,
    Rival,
    Rows,
    Rules,
    decide,
)
from taxi_duration.settings import load_settings

CANDIDATE = Candidate(
    model_id="m-1", run_id="run", parent_run_id="parent", source="simulated", month="2019-03"
)
CHAMPION = Rival(version="2", source="simulated")
ROWS = Rows(
    uri="s3://bucket/features.parquet",
    trips=12_345,
    hours=740,
    sha256="0123abcd",
    first=datetime(2019, 3, 1),
    last=datetime(2019, 3, 31, 23, 45),
)
RULES = Rules.from_settings(load_settings(), replace_source=False)
FIGURES = Figures(
    mae=3.6,
    rival_mae=3.7,
    floor_mae=3.9,
    gain=0.1,
    least_gain=0.08,
    coverage_80=0.805,
    rival_coverage_80=0.79,
    answers=AnswerFigures(interval_width=11.1, pinball=1.162, late_5=0.148),
    rival_answers=AnswerFigures(interval_width=11.6, pinball=1.181, late_5=0.151),
    milliseconds=0.3,
    segments=[
        SegmentFigures("weekend", 4_000, 3.4, 3.5, 0.81),
        SegmentFigures("from an airport", 900, 6.1, 6.0, 0.78),
    ],
)


def decided(**changes: Any) -> GateDecision:
    """A decision; the changes are of the figures, or replace what `decide` is given."""
    parts: dict[str, Any] = {
        name: changes.pop(name)
        for name in ("candidate", "rival", "rows", "rules", "notes")
        if name in changes
    }
    figures = changes.pop("figures", FIGURES)
    figures = msgspec.structs.replace(figures, **changes) if figures else None
    given = {"candidate": CANDIDATE, "rival": CHAMPION, "rows": ROWS, "rules": RULES} | parts
    return decide(**given, figures=figures, decided_at=datetime(2019, 4, 1, 12, tzinfo=UTC))
