"""From how many drifted windows on a person is told."""

from datetime import UTC, datetime, timedelta

import pytest

from taxi_duration.monitoring.live_drift import lasts
from taxi_duration.monitoring.live_window import Window

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def ending(*hours_ago: float, hours: int = 1) -> list[Window]:
    return [Window.until(NOW - timedelta(hours=ago), hours) for ago in hours_ago]


@pytest.mark.parametrize(
    ("windows", "told"),
    [
        (ending(0, 1), False),
        (ending(0, 1, 2), True),
        (ending(0, 0.5, 1), False),  # half an hour of each is that of the former
        (ending(0, 0.5, 1, 1.5, 2), True),
        (ending(0, hours=24) + ending(1, 2), False),
        (ending(0, hours=24) + ending(0, 1, 2), True),
        (ending(0, 3, 23), True),  # few were asked in between
        (ending(0, 3, 24), False),  # a day ago
        ([], False),
    ],
)
def test_three_windows_of_a_day_that_do_not_overlap_are_told(
    windows: list[Window], told: bool
) -> None:
    assert lasts(windows) is told
