"""For which states of the database each rule alarms: over its limit, under it, and in a drill."""

from collections.abc import Callable
from typing import Any

import pytest

from grafana_states import NO_DATA, State
from taxi_duration.monitoring import tables
from taxi_duration.monitoring.grafana.alerts import rules

pytestmark = pytest.mark.stack

Build = Callable[[State], object]

# Figures of a month that are over the limit of each rule that judges months, and just under it.
MONTHLY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "error-over-threshold": ({"error": 4.9}, {"error": 4.7}),
    "coverage-lost": ({"coverage": 0.73}, {"coverage": 0.75}),
    "drift": ({"drifted": 0.5}, {"drifted": 0.49}),
    "data-missing": ({"missing": 0.14}, {"missing": 0.12}),
}


@pytest.mark.parametrize("name", MONTHLY)
def test_a_month_over_the_limit_alarms_for_its_source_alone(state: State, name: str) -> None:
    over, under = MONTHLY[name]
    state.month("city", "2026-01", **under)
    # February is missing.
    state.month("city", "2026-03", **over)
    state.month("simulated", "2026-03", **under)
    assert state.firing(name) == {"city"}


@pytest.mark.parametrize("name", MONTHLY)
def test_a_month_under_the_limit_ends_the_alarm_of_those_before(state: State, name: str) -> None:
    over, under = MONTHLY[name]
    state.month("city", "2026-01", **over)
    state.month("city", "2026-03", **under)
    assert state.firing(name) == set()


@pytest.mark.parametrize("name", MONTHLY)
def test_a_month_of_a_drill_or_of_long_ago_alarms_nobody(state: State, name: str) -> None:
    over, under = MONTHLY[name]
    state.month("city", "2026-01", **under)
    state.month("drill", "2026-02", **over)
    state.month("files", "2026-02", days=41, **over)
    assert state.firing(name) == set()


def test_an_error_counts_beside_how_long_the_trips_took(state: State) -> None:
    state.month("city", "2026-01", error=4.9, took=18)
    assert state.firing("error-over-threshold") == set()


@pytest.mark.parametrize("name", ["error-over-threshold", "coverage-lost"])
def test_a_share_of_few_trips_alarms_nobody(state: State, name: str) -> None:
    over, _ = MONTHLY[name]
    state.month("city", "2026-01", trips=499, **over)
    assert state.firing(name) == set()


def test_an_interval_that_holds_too_much_alarms(state: State) -> None:
    state.month("city", "2026-01", coverage=0.87)
    assert state.firing("coverage-lost") == {"city"}


def hourly(*drifted: bool | None, first: float = 0.5) -> Build:
    """Windows of the schedule, the latest first."""

    def build(state: State) -> None:
        for number, found in enumerate(drifted):
            state.window(first + number, found)

    return build


def by_hand(state: State) -> None:
    """A day's windows that were asked for one after the other, beside the schedule's."""
    hourly(True, *[False] * 12)(state)
    for minutes in (10, 20, 30):
        state.window(minutes / 60, drifted=True, hours=24)


def by_hand_within_the_hour(state: State) -> None:
    hourly(True, *[False] * 12)(state)
    for minutes in (10, 20):
        state.window(minutes / 60, drifted=True, hours=1)


def three_and_one_by_hand(state: State) -> None:
    hourly(True, True, True, False)(state)
    state.window(0.25, drifted=False, hours=24)


def of_three_hours(state: State) -> None:
    """`TAXI_LIVE_HOURS=3`: the schedule's own windows overlap."""
    for number in range(12):
        state.window(0.5 + number, drifted=number < 5, hours=3)


@pytest.mark.parametrize(
    ("build", "alarms"),
    [
        (hourly(True, True, True, False), True),
        (hourly(True, True, False, True), False),
        (hourly(True, None, True, True), True),
        (hourly(True, True), False),
        (hourly(True, True, True, first=24), False),
        (by_hand, False),
        (by_hand_within_the_hour, False),
        (three_and_one_by_hand, True),
        (of_three_hours, False),
    ],
    ids=["three", "not-all", "one-not-compared", "two", "yesterday", "by-hand",
         "by-hand-of-an-hour", "three-and-one-by-hand", "schedule-overlaps"],
)  # fmt: skip
def test_live_traffic_alarms_after_three_windows_one_after_the_other(
    state: State, build: Build, alarms: bool
) -> None:
    build(state)
    assert bool(state.firing("live-drift")) is alarms


def test_a_month_that_came_long_ago_is_stale_though_it_came_again(state: State) -> None:
    state.run("city", "2026-01", 36)
    state.run("city", "2026-01", 1)
    state.run("city", "2026-02", 1, "failed")
    # A backfill of earlier months.
    state.run("city", "2025-11", 1)
    assert state.firing("stale-data") == {"city"}


def test_a_month_that_came_lately_is_not_stale(state: State) -> None:
    state.run("city", "2026-01", 65)
    state.run("city", "2026-03", 34)
    assert state.firing("stale-data") == set()


def test_neither_a_stand_in_nor_a_drill_hides_that_the_city_s_trips_are_old(state: State) -> None:
    state.run("city", "2026-01", 36)
    state.run("simulated", "2026-02", 5)
    state.run("drill", "2026-02", 1)
    assert state.firing("stale-data") == {"city"}


def test_a_stand_in_that_is_used_no_more_alarms_nobody(state: State) -> None:
    state.run("simulated", "2026-01", 36)
    assert state.firing("stale-data") == {"simulated"}
    state.run("city", "2026-01", 3)
    assert state.firing("stale-data") == set()


def test_a_source_that_was_given_up_alarms_nobody(state: State) -> None:
    state.run("city", "2026-01", 91)
    state.run("simulated", "2026-03", 3)
    assert state.firing("stale-data") == set()


@pytest.mark.parametrize("source", [None, "drill"])
def test_where_no_month_came_at_all_the_data_is_stale(state: State, source: str | None) -> None:
    state.run(source, "2026-01", 1, "completed" if source else "failed")
    assert state.firing("stale-data") == {NO_DATA}


@pytest.mark.parametrize(("hours", "found"), [(2.9, set()), (3.1, {""})])
def test_the_scheduler_is_silent_without_an_hourly_run(
    state: State, hours: float, found: set[str]
) -> None:
    state.run(None, "", hours / 24, "failed", pipeline="live_monitoring")
    state.run("drill", "2026-01", 0)
    state.run("city", "2026-01", 0)
    assert state.firing("scheduler-silent") == found


def test_a_scheduler_that_never_began_is_silent(state: State) -> None:
    assert state.firing("scheduler-silent") == {NO_DATA}


def test_a_run_that_failed_alarms_until_the_next_one_of_its_pipeline(state: State) -> None:
    state.run("city", "2026-01", 3)
    state.run(None, "", 2, "failed")
    state.run(None, "", 1, pipeline="live_monitoring")
    state.run("drill", "2026-01", 0.5)
    assert state.firing("run-failed") == {"taxi_duration"}
    state.run("city", "2026-01", 0.2)
    state.run("drill", "2026-01", 0.1, "failed")
    assert state.firing("run-failed") == set()


def test_an_alarm_that_was_not_sent_alarms_for_a_day(state: State) -> None:
    state.add(tables.alarms, problem="webhook: refused", drill=True, raised_at=state.ago(hours=1))
    state.add(tables.alarms, problem="webhook: refused", raised_at=state.ago(hours=25))
    state.add(tables.alarms, raised_at=state.ago(hours=1))
    assert state.firing("alarm-not-sent") == set()
    state.add(tables.alarms, problem="webhook: refused", raised_at=state.ago(hours=23))
    assert state.firing("alarm-not-sent") == {""}


def test_every_rule_of_the_database_is_tried_here(request: pytest.FixtureRequest) -> None:
    tried = request.path.read_text(encoding="utf-8")
    for rule in rules():
        assert ("rawSql" not in rule.query) or f'"{rule.name}"' in tried, rule.name
