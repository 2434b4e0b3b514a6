"""What the page makes of figures: cards, charts, and what it says where there is nothing."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from duration_service.monitoring import words
from duration_service.monitoring.answer import (
    Alarm,
    AskedHour,
    ColumnScore,
    Figures,
    Limits,
    LoadedMonth,
    Monitoring,
    MonthDrift,
    MonthPerformance,
    Outcome,
    Promotion,
    Run,
)
from duration_service.monitoring.board import Board, board
from duration_service.monitoring.charts import BOTTOM, TOP, Series, chart, grid_step
from duration_service.monitoring.glance import TITLES, Card
from duration_service.monitoring.reading import EXTENSION, Reader

NOW = datetime(2022, 4, 10, 12, 30, tzinfo=UTC)


def shown(**lists: Any) -> Monitoring:
    empty: dict[str, Any] = {
        field.name: []
        for field in msgspec.structs.fields(Figures)
        if field.name not in ("read_at", "unread")
    }
    given: dict[str, Any] = {
        **empty,
        "read_at": NOW,
        "unread": {},
        "model": "taxi-duration",
        "serving": "3",
        "limits": Limits(1.2, 0.5, 0.74, 0.86),
        "links": {},
        **lists,
    }
    return Monitoring(**given)


def month(name: str = "2022-03", **changes: Any) -> MonthPerformance:
    made = MonthPerformance(
        source="city",
        month=name,
        model_version="3",
        trips=1_000,
        mae=4.0,
        within_5=0.8,
        bias=0.1,
        coverage_80=0.8,
        interval_width=11.0,
        late_5=None,
        reference_mae=3.9,
        expected_mae=3.9,
        floor_mae=5.0,
        served=True,
        judged=True,
        reported_at=NOW,
    )
    return msgspec.structs.replace(made, **changes)


def drift(name: str = "2022-03", source: str = "city", **changes: Any) -> MonthDrift:
    made = MonthDrift(
        source=source,
        month=name,
        model_version="3",
        reference_months=["2022-01"],
        current_trips=1_000,
        compared_columns=2,
        drifted_columns=1,
        drifted_share=0.5,
        threshold=0.5,
        drifted=True,
        report_url="http://127.0.0.1:5000/",
        reported_at=NOW - timedelta(days=2),
        columns=[ColumnScore("hour", 0.25, 0.1, True), ColumnScore("trip_miles", 0.0, 0.1, False)],
    )
    return msgspec.structs.replace(made, **changes)


def made(**lists: Any) -> Board:
    """The page of these lists; a source is known by its reports of drift."""
    return board(shown(**{"drift": [drift()], **lists}), "", NOW)


def card(title: str, **lists: Any) -> Card:
    (found,) = [one for one in made(**lists).cards if one.title == title]
    return found


def test_where_there_is_nothing_no_card_is_good() -> None:
    for one in board(shown(serving=None), "", NOW).cards:
        assert one.verdict == ("bad" if one.title == "Serving" else "none")
        assert one.value in ("no model", "nothing yet")


@pytest.mark.parametrize("title", [one for one in TITLES if one != "Serving"])
def test_what_could_not_be_read_is_not_known(title: str) -> None:
    names = {"performance", "drift", "loaded_months", "runs", "asked", "alarms"}
    empty = board(shown(unread=dict.fromkeys(names, "too slow")), "", NOW)
    (found,) = [one for one in empty.cards if one.title == title]
    assert (found.verdict, found.value) == ("none", "not known")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "good"),
        ({"mae": 4.69}, "bad"),  # 1.2 times 3.9 is 4.68
        ({"mae": 4.6, "floor_mae": 4.5}, "bad"),
        ({"expected_mae": None, "floor_mae": None}, "plain"),
        ({"model_version": "floor"}, "plain"),
    ],
)
def test_the_error_is_judged_by_the_floor_and_the_threshold(
    changes: dict[str, Any], verdict: str
) -> None:
    assert card("Error", performance=[month(**changes)]).verdict == verdict


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(0.74, "good"), (0.73, "bad"), (0.87, "bad"), (None, "none")],
)
def test_the_coverage_is_judged_by_the_bounds_of_the_gate(
    share: float | None, verdict: str
) -> None:
    assert card("Coverage", performance=[month(coverage_80=share)]).verdict == verdict


def test_who_serves_is_good_where_it_is_the_champion_of_the_history() -> None:
    def promoted(version: str) -> Promotion:
        return Promotion("promote", None, version, "somebody", "better", NOW - timedelta(days=3))

    assert card("Serving", promotions=[promoted("3")]).verdict == "good"
    assert "3 days ago" in card("Serving", promotions=[promoted("3")]).note
    other = card("Serving", promotions=[promoted("4")])
    assert (other.verdict, other.note) == ("bad", "The registry's champion is 4.")


def test_data_of_more_than_a_month_ago_are_stale() -> None:
    assert card("Data").verdict == "good"
    old = card("Data", drift=[drift(reported_at=NOW - timedelta(days=36))])
    assert old.verdict == "bad"
    assert "36 days ago" in old.note


def loaded(name: str, days: float, source: str = "city") -> LoadedMonth:
    return LoadedMonth(source, name, 0, 1_010, 1_000, 10, NOW - timedelta(days=days))


def test_a_month_that_is_loaded_again_is_as_old_as_when_it_first_came() -> None:
    def run(days: float, status: str = "completed", source: str = "city") -> Run:
        at = NOW - timedelta(days=days)
        return Run("taxi_duration", "1", source, "2022-03", status, at, at, None)

    again = [loaded("2022-03", 1)]
    assert card("Data", loaded_months=again, runs=[run(1), run(20)]).verdict == "good"
    old = card("Data", loaded_months=again, runs=[run(1), run(36)])
    assert (old.verdict, "36 days ago" in old.note) == ("bad", True)
    others = [run(36, "failed"), run(36, source="drill")]
    assert card("Data", loaded_months=again, runs=others).verdict == "good"


def test_an_earlier_month_that_is_loaded_now_does_not_freshen_the_latest_one() -> None:
    months = [loaded("2022-03", 36), loaded("2021-01", 1)]
    assert card("Data", loaded_months=months).verdict == "bad"


def test_a_last_run_that_failed_is_bad_and_earlier_failures_are_counted() -> None:
    def run(status: str, pipeline: str = "taxi_duration") -> Run:
        return Run(pipeline, "1", "city", "2022-03", status, NOW, NOW, None)

    assert card("Pipeline", runs=[run("failed"), run("completed")]).verdict == "bad"
    later = card("Pipeline", runs=[run("completed"), run("failed")])
    assert later.verdict == "good"
    assert "2 runs listed, 1 incomplete" in later.note
    hourly = [run("completed", "live_monitoring")] * 8
    both = card("Pipeline", runs=[*hourly, run("failed")])
    assert (both.verdict, both.value) == ("bad", "taxi_duration failed")


def test_drills_are_no_news() -> None:
    run = Run("taxi_duration", "1", "drill", "2022-03", "failed", NOW, NOW, "a column is missing")
    alarm = Alarm(NOW, "drift", "drill 2022-03", "it was to be expected", [], drill=True)
    assert card("Pipeline", runs=[run]).verdict == "none"
    assert card("Alarms", alarms=[alarm]).verdict == "none"
    real = msgspec.structs.replace(alarm, drill=False)
    assert card("Alarms", alarms=[alarm, real]).value == "1 in 7 days"


def test_the_source_that_was_reported_last_is_shown_and_a_drill_never_by_itself() -> None:
    reports = [
        drift(source="drill", reported_at=NOW),
        drift(source="city", reported_at=NOW - timedelta(days=1)),
        drift(source="simulated", reported_at=NOW - timedelta(days=9)),
    ]
    page = board(shown(drift=reports), "", NOW)
    assert (page.source, page.sources) == ("city", ["city", "simulated", "drill"])
    assert [one.source for one in page.shown.drift] == ["city"]
    assert board(shown(drift=reports), "simulated", NOW).source == "simulated"
    assert board(shown(drift=reports), "<none>", NOW).source == "city"


def test_outcomes_of_another_source_are_not_among_those_that_are_shown() -> None:
    one = Outcome("city", "2022-03", "champion", "3", 10, 4.0, 0.8)
    other = msgspec.structs.replace(one, source="simulated", mae=2.0)
    assert made(outcomes=[other, one]).shown.outcomes == [one]


def test_a_month_without_a_report_is_a_gap_in_the_line() -> None:
    months = [month("2022-04"), month("2022-03"), month("2022-01"), month("2021-12")]
    errors = made(performance=months).errors
    assert errors is not None
    (model,) = [line for line in errors.lines if line.name == "model"]
    assert len(model.dots) == 4
    assert model.path.count("M") == 2
    assert [label.text for label in errors.below[::-1]] == [
        *("2021-12", "2022-01", "2022-02", "2022-03", "2022-04")
    ]


def test_of_several_versions_on_a_month_the_one_of_the_drift_report_speaks() -> None:
    # Over its threshold, and under the floor.
    judged = month(model_version="3", mae=4.8)
    other = month(model_version="2", mae=4.8, expected_mae=None, judged=False)
    for rows in ([judged, other], [other, judged]):
        page = made(performance=rows)
        assert [one.model_version for one in page.shown.performance] == ["3"]
        assert card("Error", performance=rows).verdict == "bad"


def test_a_version_without_a_drift_report_is_not_judged() -> None:
    assert card("Error", performance=[month(expected_mae=None, judged=False)]).verdict == "none"


def test_a_month_of_the_floor_table_has_no_threshold() -> None:
    floor = month(model_version="floor", mae=5.0, served=False)
    errors = made(performance=[month("2022-04"), floor]).errors
    assert errors is not None
    (threshold,) = [line for line in errors.lines if line.name == "threshold"]
    assert [dot.text for dot in threshold.dots] == ["2022-04: threshold 4.68"]
    assert "threshold" not in card("Error", performance=[floor]).note


def test_of_a_version_it_is_told_that_it_served_later_and_never_of_the_floor_table(
    app: Flask, client: FlaskClient
) -> None:
    rows = [month("2022-04", served=False), month(model_version="floor", served=False)]
    read = shown(drift=[drift()], performance=rows)
    reader = Reader("", "taxi-duration")
    reader._last = Figures(**{name: getattr(read, name) for name in Figures.__struct_fields__})
    reader._until = math.inf
    app.extensions[EXTENSION] = reader
    page = client.get("/monitoring").text
    assert "<td>3 (served later)</td>" in page
    assert "<td>floor</td>" in page


def test_hours_without_a_request_are_empty_and_not_left_out() -> None:
    hour = AskedHour(NOW.replace(minute=0) - timedelta(hours=3), 7, 5, 0.5, 12.0, 2.0, 5.0, 9.0)
    page = made(asked=[hour])
    assert page.predictions is not None
    assert page.latencies is not None
    counts = page.predictions.lines[0].dots
    assert [dot.text for dot in counts if not dot.text.endswith(" 0")] == ["09:00: predictions 7"]
    assert len(counts) == 24
    assert len(page.latencies.lines[0].dots) == 1


def test_a_columns_cell_is_the_darker_the_further_it_drifted() -> None:
    latest, former = drift(), drift("2022-02", columns=[ColumnScore("hour", 9.0, 0.1, True)])
    heat = made(drift=[latest, former]).heat
    assert [cell.shade for cell in heat["hour"]] == [2, 3]
    assert [cell.shade for cell in heat["trip_miles"]] == [0, None]


@pytest.mark.parametrize(
    ("highest", "step"), [(0, 1), (1, 0.5), (4.5, 2), (8, 2), (0.3, 0.1), (900, 500)]
)
def test_the_grid_has_few_lines_at_round_values(highest: float, step: float) -> None:
    assert grid_step(highest) == pytest.approx(step)


def test_bars_begin_at_nothing_and_lines_where_they_are() -> None:
    bars = chart(["a", "b"], [Series("n", "bar", [10, 40])])
    assert [label.text for label in bars.grid] == ["0", "10", "20", "30", "40"]
    assert [dot.y for dot in bars.lines[0].dots] == [BOTTOM - (BOTTOM - TOP) / 4, TOP]
    lines = chart(["a", "b"], [Series("share", "main", [0.79, 0.81])], "{:.0%}", span=0.2)
    assert [label.text for label in lines.grid] == ["70%", "75%", "80%", "85%", "90%"]


def test_what_cannot_be_drawn_is_left_out() -> None:
    lines = chart(["a", "b", "c"], [Series("x", "main", [None, float("nan"), 1.0])])
    assert [dot.text for dot in lines.lines[0].dots] == ["c: x 1"]
    assert chart(["a"], [Series("x", "main", [None])]).lines[0].path == ""


def test_figures_are_written_for_people() -> None:
    assert words.percent(0.8049) == "80.5%"
    assert words.percent(None) == words.minutes(float("nan")) == words.moment(None) == words.NONE
    assert words.ago(NOW - timedelta(hours=1, minutes=50), NOW) == "1 hour ago"
    assert words.ago(NOW, NOW) == "just now"
    assert words.hours(timedelta(days=1)) == "24 h"
    assert words.lasted(NOW, NOW + timedelta(seconds=131)) == "2 min 11 s"
    assert words.address("javascript:alert(1)") == words.address(None) == ""
    assert words.address("https://mlflow/x") == "https://mlflow/x"
