"""The figures of one source as the page shows them: a line a month, charts, and tables."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from duration_service.monitoring.answer import (
    DRILL,
    AskedHour,
    ColumnScore,
    Monitoring,
    MonthDrift,
    MonthPerformance,
)
from duration_service.monitoring.charts import Chart, Series, chart
from duration_service.monitoring.glance import Card, cards, error_threshold
from duration_service.monitoring.queries import HOURS

# Lists of months, by source.
_OF_SOURCE: Final = (
    *("performance", "segments", "drift", "missing", "loaded_months", "quarantined", "outcomes"),
)
# From so many times its threshold on a column's cell is as dark as it gets.
DARKEST: Final = 3


class Cell(NamedTuple):
    """A column's drift in a month; `shade` from 0 (none) to 3, None where it was not compared."""

    score: ColumnScore | None
    shade: int | None


class Board(NamedTuple):
    """All that the page shows."""

    shown: Monitoring
    source: str
    sources: list[str]
    cards: list[Card]
    errors: Chart | None
    coverage: Chart | None
    shares: Chart | None
    predictions: Chart | None
    latencies: Chart | None
    heat: dict[str, list[Cell]]


def board(everything: Monitoring, wanted: str, now: datetime) -> Board:
    """The page for the source that is wanted, or else for the one that was reported last."""
    sources = _sources(everything)
    source = wanted if wanted in sources else next(iter(sources), "")
    shown = _of_source(everything, source)
    months = [one.month for one in reversed(shown.drift)]
    hours = _hours(shown.asked, now)
    return Board(
        shown=shown,
        source=source,
        sources=sources,
        cards=cards(shown, now),
        errors=_errors(shown),
        coverage=_coverage(shown),
        shares=_shares(shown.drift, months),
        predictions=_predictions(hours),
        latencies=_latencies(hours),
        heat=_heat(shown.drift),
    )


def _sources(everything: Monitoring) -> list[str]:
    """The sources, the one that was reported last first, and the drill's last of all."""
    reported: dict[str, datetime] = {}
    moments = [(one.source, one.reported_at) for one in everything.drift]
    moments += [(one.source, one.loaded_at) for one in everything.loaded_months]
    for source, at in moments:
        reported[source] = max(at, reported.get(source, at))
    return sorted(reported, key=lambda one: (one != DRILL, reported[one]), reverse=True)


def _of_source(everything: Monitoring, source: str) -> Monitoring:
    lists: dict[str, Any] = {
        name: [one for one in getattr(everything, name) if one.source == source]
        for name in _OF_SOURCE
    }
    # Others that served in the month have no error of their own training months beside theirs, by
    # which they could be judged; they are in the JSON.
    judged = [one for one in lists["performance"] if one.judged]
    return msgspec.structs.replace(everything, **{**lists, "performance": judged})


def _each_month(first: str, last: str) -> list[str]:
    """All months from one to another: one without figures has to be seen as a gap."""
    numbers = [int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last)]
    return [f"{n // 12}-{n % 12 + 1:02}" for n in range(numbers[0], numbers[1] + 1)]


def _by_month(shown: Monitoring) -> dict[str, MonthPerformance | None]:
    known = {one.month: one for one in shown.performance}
    return {month: known.get(month) for month in _each_month(min(known), max(known))}


def _errors(shown: Monitoring) -> Chart | None:
    if not shown.performance:
        return None
    months, ratio = _by_month(shown), shown.limits.error_ratio
    rows = list(months.values())
    return chart(
        list(months),
        [
            Series("floor", "floor", [one.floor_mae if one else None for one in rows]),
            Series(
                "threshold",
                "limit",
                [error_threshold(one, ratio) if one else None for one in rows],
            ),
            Series("model", "main", [one.mae if one else None for one in rows]),
        ],
        "{:.3g}",
        span=2,
    )


def _coverage(shown: Monitoring) -> Chart | None:
    if not any(one.coverage_80 is not None for one in shown.performance):
        return None
    months, limits = _by_month(shown), shown.limits
    return chart(
        list(months),
        [
            Series("at most", "limit", [limits.max_coverage for _ in months]),
            Series("at least", "limit", [limits.min_coverage for _ in months]),
            Series("inside", "main", [one.coverage_80 if one else None for one in months.values()]),
        ],
        "{:.0%}",
        span=0.2,
    )


def _shares(drift: list[MonthDrift], reported: list[str]) -> Chart | None:
    if not drift:
        return None
    known = {one.month: one for one in drift}
    months = [known.get(month) for month in _each_month(min(reported), max(reported))]
    return chart(
        _each_month(min(reported), max(reported)),
        [
            Series(
                "no drift",
                "bar",
                [one.drifted_share if one and not one.drifted else None for one in months],
            ),
            Series(
                "drift",
                "bar over",
                [one.drifted_share if one and one.drifted else None for one in months],
            ),
            Series("threshold", "limit", [one.threshold if one else None for one in months]),
        ],
        "{:.0%}",
        span=1,
    )


def _hours(asked: list[AskedHour], now: datetime) -> dict[str, AskedHour | None]:
    """The last hours by their names; in an hour that is not in the list nothing was asked."""
    if not asked:
        return {}
    known = {one.hour: one for one in asked}
    latest = max(now.replace(minute=0, second=0, microsecond=0), *known)
    hours = [latest - timedelta(hours=n) for n in reversed(range(HOURS))]
    return {f"{hour:%H}:00": known.get(hour) for hour in hours}


def _predictions(hours: dict[str, AskedHour | None]) -> Chart | None:
    if not hours:
        return None
    counts = [one.predictions if one else 0 for one in hours.values()]
    return chart(list(hours), [Series("predictions", "bar", counts)], "{:,.0f}", span=4)


def _latencies(hours: dict[str, AskedHour | None]) -> Chart | None:
    if not hours:
        return None
    rows = hours.values()
    series = [
        Series("95%", "limit", [one.p95_ms if one else None for one in rows]),
        Series("half", "main", [one.p50_ms if one else None for one in rows]),
    ]
    return chart(list(hours), series, "{:.3g}", span=2)


def _heat(drift: list[MonthDrift]) -> dict[str, list[Cell]]:
    """Each column's scores, the latest month first, and the columns of its report's order."""
    scores = [{one.column_name: one for one in month.columns} for month in drift]
    names = dict.fromkeys(name for month in scores for name in month)
    return {name: [_cell(month.get(name)) for month in scores] for name in names}


def _cell(score: ColumnScore | None) -> Cell:
    if score is None:
        return Cell(None, None)
    if not score.drifted:
        return Cell(score, 0)
    times = score.score / score.threshold if score.threshold else DARKEST
    return Cell(score, min(max(int(times), 1), DARKEST))
