from typing import Any

import pytest
from sqlalchemy import select

from decided import CANDIDATE, decided
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.decisions import record_decision
from taxi_duration.monitoring.tables import gate_decisions
from taxi_duration.registry.gate import GateDecision, Rival
from taxi_duration.settings import Settings

pytestmark = pytest.mark.stack
PAGE = "http://mlflow/decision.html"


def recorded(settings: Settings, *decisions: GateDecision) -> dict[str, Any]:
    for decision in decisions:
        record_decision(settings, decision, PAGE)
    with connect(settings) as connection:
        return dict(connection.execute(select(gate_decisions)).mappings().one())


def test_a_decision_is_a_row_with_figures_rules_and_segments(database: Settings) -> None:
    row = recorded(database, decided(milliseconds=99.0))
    assert (row["model"], row["run_id"], row["version"]) == (database.model_name, "parent", None)
    assert (row["promoted"], row["champion"], row["rival"]) == (False, "2", "champion 2")
    assert (row["mae"], row["gain"], row["trips"]) == (3.6, 0.1, 12_345)
    assert (row["interval_width"], row["pinball"], row["late_5"]) == (11.1, 1.162, 0.148)
    assert row["month"].isoformat() == "2019-03-01"
    assert [check["name"] for check in row["checks"] if not check["passed"]] == ["speed"]
    assert row["segments"][0]["name"] == "weekend"
    assert row["page_url"] == PAGE


def test_a_run_has_one_decision_however_often_it_is_tried(database: Settings) -> None:
    row = recorded(database, decided(), decided(rival=Rival()).of_version("7"))
    assert (row["version"], row["champion"]) == ("7", None)


def test_a_candidate_that_cannot_be_used_has_no_figures(database: Settings) -> None:
    row = recorded(database, decided(candidate=CANDIDATE, figures=None))
    assert (row["mae"], row["segments"]) == (None, [])
