"""Live drift is judged twice: by Grafana's query, and in Python for those without Grafana."""

import random
from typing import NamedTuple

import pytest

from grafana_states import State
from taxi_duration.monitoring.figures import ColumnDrift
from taxi_duration.monitoring.live import LiveFigures, record_live
from taxi_duration.monitoring.live_drift import drifted_since_calm, lasts
from taxi_duration.monitoring.live_window import Window
from taxi_duration.settings import load_settings

pytestmark = pytest.mark.stack

# Which of a window's columns drifted; the limit, `TAXI_DRIFT_SHARE`, is half of them.
OVER = (True, True, False)
AT = (True, False)
UNDER = (True, False, False)
# Too few were asked, or nobody knows what the version that answered was trained on.
NOT_COMPARED = ()


class Ended(NamedTuple):
    """A window that ended so many hours ago."""

    ago: float
    columns: tuple[bool, ...] = OVER
    hours: int = 1


def happened(state: State, *windows: Ended) -> None:
    """Record what the pipeline found, as it does."""
    for ended in windows:
        columns = [
            ColumnDrift(
                column_name=f"column {n}", method="any", score=1, threshold=1, drifted=drifted
            )
            for n, drifted in enumerate(ended.columns)
        ]
        figures = LiveFigures(
            window=Window.until(state.ago(hours=ended.ago), ended.hours),
            predictions=1_000 if columns else 20,
            answered_requests=20,
            made_at=state.ago(hours=ended.ago),
            threshold=load_settings().drift_share,
            drift=columns,
        )
        record_live(state.connection, figures, report_uri=None, report_url=None)


def row(*columns: tuple[bool, ...], first: float = 0, hours: int = 1) -> list[Ended]:
    """Windows one after the other, the latest first."""
    return [Ended(first + n * hours, one, hours) for n, one in enumerate(columns)]


def verdicts(state: State) -> tuple[bool, bool]:
    """What Grafana's rule and the pipeline's say."""
    return bool(state.firing("live-drift")), lasts(drifted_since_calm(state.connection))


@pytest.mark.parametrize(
    ("windows", "alarms"),
    [
        ([], False),
        (row(OVER, OVER, OVER), True),
        (row(AT, AT, AT, UNDER), True),
        (row(OVER, OVER), False),
        (row(OVER, OVER, UNDER, OVER), False),
        (row(UNDER, OVER, OVER, OVER), False),
        (row(UNDER, UNDER, UNDER), False),
        (row(NOT_COMPARED, NOT_COMPARED, NOT_COMPARED), False),
        (row(OVER, NOT_COMPARED, OVER, NOT_COMPARED, OVER), True),
        (row(OVER, NOT_COMPARED, OVER, UNDER, OVER), False),
        ([Ended(0), Ended(12), Ended(23)], True),
        ([Ended(0), Ended(12), Ended(24)], False),
        (row(OVER, OVER, OVER, UNDER, hours=3), True),
        ([Ended(0), Ended(0.5), Ended(1)], False),
        ([Ended(0), Ended(0.5), Ended(1), Ended(1.5), Ended(2)], True),
        ([Ended(0), Ended(0.5, UNDER), Ended(1), Ended(2)], False),
        ([*row(OVER, UNDER, UNDER), Ended(0.2, hours=24), Ended(0.4, hours=24)], False),
        ([Ended(0.2, hours=24), *row(OVER, OVER, OVER, first=0.5)], True),
        ([Ended(0, hours=24), *row(OVER, OVER, OVER)], True),
    ],
    ids=["nothing", "over", "at the limit", "two", "calm before", "calm again", "under",
         "not compared", "some not compared", "calm between", "a day", "more than a day",
         "long windows", "overlapping", "three of five overlapping", "calm and overlapping",
         "by hand", "by hand besides", "by hand at the same time"],
)  # fmt: skip
def test_both_rules_say_the_same_of_windows_that_the_schedule_made(
    state: State, windows: list[Ended], alarms: bool
) -> None:
    happened(state, *windows)
    assert verdicts(state) == (alarms, alarms)


def test_both_rules_say_the_same_of_any_windows_of_one_length(state: State) -> None:
    choose = random.Random(9696)
    found = []
    for _ in range(200):
        # The pipeline asks when it has just compared a window.
        windows: dict[float, bool | None] = {0.0: choose.random() < 0.9}
        for quarters in choose.sample(range(1, 120), choose.randint(2, 12)):
            windows[quarters / 4] = choose.choices([True, False, None], [8, 1, 1])[0]
        hours = choose.choice([1, 3])
        point = state.connection.begin_nested()
        for ended, drifted in windows.items():
            state.window(ended, drifted, hours)
        grafana, pipeline = verdicts(state)
        point.rollback()
        assert grafana == pipeline, (hours, windows)
        found.append(grafana)
    assert 40 < sum(found) < 160


@pytest.mark.parametrize(
    ("windows", "grafana"),
    [
        ([Ended(0.25, UNDER, hours=24), *row(OVER, OVER, OVER, first=0.5)], True),
        ([*row(OVER, OVER, NOT_COMPARED), Ended(2, hours=2)], False),
    ],
    ids=["calm by hand", "third by hand"],
)
def test_a_window_of_another_length_counts_for_the_pipeline_alone(
    state: State, windows: list[Ended], grafana: bool
) -> None:
    happened(state, *windows)
    assert verdicts(state) == (grafana, not grafana)


def test_windows_of_long_ago_end_grafana_s_alarm_alone(state: State) -> None:
    """The pipeline asks when it has compared a window, and never later."""
    happened(state, *row(OVER, OVER, OVER, first=22))
    assert verdicts(state) == (False, True)
