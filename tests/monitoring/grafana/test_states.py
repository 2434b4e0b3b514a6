"""What panels say of a state of the database: what counts for them, and that drills do not."""

import uuid

import pytest

from grafana_states import State, annotations
from taxi_duration.monitoring import tables

pytestmark = pytest.mark.stack


def test_a_drill_s_model_serves_nobody_and_is_in_no_history(state: State) -> None:
    common = {"alias": "champion", "changed_at": state.ago(days=1)}
    state.add(tables.model_history, model="taxi-duration", to_version="7", **common)
    state.add(tables.model_history, model="taxi-duration-drill", to_version="1", **common)
    state.add(tables.model_history, model="taxi-duration-drill", from_version="1", **common)
    assert state.shown("Model", "Serving") == "version 7"
    [history] = state.panel("Model", "Who served")
    assert [row["after"] for row in history] == ["7"]
    [mark] = state.rows(annotations("Model"))
    assert "version 7 serves" in mark["text"]


def test_the_runs_of_a_drill_are_in_no_figure_of_the_pipelines(state: State) -> None:
    state.run("city", "2026-01", 2)
    state.run("drill", "2026-01", 1, "failed")
    assert state.shown("Pipelines", "Latest run") == "completed"
    assert state.shown("Pipelines", "Failed runs") == 0
    [ends] = state.panel("Pipelines", "Runs by day")
    assert [row["metric"] for row in ends] == ["completed"]
    [times] = state.panel("Pipelines", "Duration of the runs")
    assert len(times) == 1


def test_a_run_that_failed_and_is_no_drill_is_counted(state: State) -> None:
    state.run(None, "", 1, "failed")
    assert state.shown("Pipelines", "Latest run") == "failed"
    assert state.shown("Pipelines", "Failed runs") == 1


def test_a_month_is_as_old_as_when_it_first_came(state: State) -> None:
    state.run("city", "2026-01", 40)
    state.run("city", "2026-01", 1)
    state.run("city", "2025-06", 1)
    state.run("simulated", "2026-01", 1)
    state.run("drill", "2026-02", 1)
    assert state.shown("Pipelines", "Since a new month came") == pytest.approx(40, abs=0.01)
    [rows] = state.panel("Pipelines", "Freshness")
    assert [(row["source"], row["latest month"], row["months"]) for row in rows] == [
        ("city", "2026-01", 2)
    ]


def test_segments_are_shown_beside_their_floor_and_the_month_s_threshold(state: State) -> None:
    state.month("city", "2026-01", segments={"all": (4.0, 6.0), "airport": (9.0, 7.5)})
    state.month("drill", "2026-01", error=9, segments={"all": (9.0, 6.0)})
    errors, limits = state.panel("Model", "Error of each segment beside its floor by month")
    assert {row["metric"]: row["error"] for row in errors} == pytest.approx(
        {"all": 4 / 6, "airport": 1.2}
    )
    [limit] = limits
    # 1.2 times the 4 minutes that are expected, by the floor's 6.
    assert (limit["floor"], limit["threshold"]) == (1, pytest.approx(0.8))


def test_answers_that_wait_for_their_outcome_are_shown_beside_those_that_have_one(
    state: State,
) -> None:
    ids = [uuid.uuid4() for _ in range(5)]
    trips = ["trip-1", "trip-2", "trip-3", "page-map", None]
    for number, trip in zip(ids, trips, strict=True):
        state.add(tables.predictions, id=number, role="champion", trip_id=trip)
    state.add(tables.predictions, id=ids[0], role="challenger", trip_id="trip-1")
    state.add(tables.outcomes, prediction_id=ids[0], role="champion", source="city")
    assert state.shown("Model", "Answers with a known outcome") == 1
    assert state.shown("Model", "Answers that wait for their outcome") == 2
