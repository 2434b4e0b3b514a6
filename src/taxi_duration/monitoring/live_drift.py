"""Whether live traffic has drifted for good: an alarm for those without Grafana.

Grafana's own rule (`grafana/truth.py`) has a query only: it asks for windows of the usual length
that ended within a day from now, where this one takes those of any length that do not overlap, and
is asked when a window has just been compared. Of all else both say the same.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, func, or_, select

from taxi_duration.monitoring.live_window import Window
from taxi_duration.monitoring.tables import live_windows

# One window may be a football match; each of three in a row, within a day, is not.
WINDOWS: Final = 3
WITHIN: Final = timedelta(days=1)


def lasts(drifted: Sequence[Window]) -> bool:
    """Whether enough of the drifted windows, the latest first, do not overlap.

    `taxi live --hours 24` looks at the same requests as the hourly windows: these count once.
    """
    apart: list[Window] = []
    # Who takes what began last leaves the most room for those before it.
    for window in sorted(drifted, key=lambda window: window.start, reverse=True):
        if window.end > drifted[0].end - WITHIN and (not apart or window.end <= apart[-1].start):
            apart.append(window)
    return len(apart) >= WINDOWS


def drifted_since_calm(connection: Connection) -> list[Window]:
    """The windows that drifted since the last one that did not, the latest first."""
    calm = select(func.max(live_windows.c.window_end)).where(~live_windows.c.drifted)
    query = select(live_windows.c.window_start, live_windows.c.window_end).where(
        live_windows.c.drifted,
        or_(
            live_windows.c.window_end > calm.scalar_subquery(),
            calm.scalar_subquery().is_(None),
        ),
    )
    rows = connection.execute(query.order_by(live_windows.c.window_end.desc()))
    return [Window(row.window_start, row.window_end) for row in rows]
