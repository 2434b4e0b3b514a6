"""The figures at a glance: a card each, with what it says of the model. Nothing is never good."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from duration_service.monitoring import words
from duration_service.monitoring.answer import DRILL, FLOOR, Monitoring, MonthPerformance

# `none`: there is nothing yet. `plain`: a figure that has no limit.
Verdict = Literal["good", "bad", "plain", "none"]
# A month comes every month; some days more are late trips and a run that had to be repeated.
STALE: Final = timedelta(days=35)


class Card(NamedTuple):
    """One figure, what it says, and more about it."""

    title: str
    verdict: Verdict
    value: str
    note: str = ""
    section: str = ""


def cards(shown: Monitoring, now: datetime) -> list[Card]:
    """What an engineer wants to know first, of figures that are of one source."""
    made: list[Callable[[Monitoring, datetime], Card | None]] = [
        _serving,
        _error,
        _coverage,
        _drift,
        _data,
        _runs,
        _asked,
        _alarms,
    ]
    return [
        make(shown, now) or Card(title, "none", _nothing(shown, title), section=TITLES[title])
        for title, make in zip(TITLES, made, strict=True)
    ]


# Each card's title, and the section that has more.
TITLES: Final = {
    "Serving": "promotions",
    "Error": "performance",
    "Coverage": "performance",
    "Drift": "drift",
    "Data": "data",
    "Pipeline": "runs",
    "Asked": "asked",
    "Alarms": "alarms",
}


def _nothing(shown: Monitoring, title: str) -> str:
    name = "loaded_months" if title == "Data" else TITLES[title]
    return "not known" if name in shown.unread else "nothing yet"


def _serving(shown: Monitoring, now: datetime) -> Card | None:
    if shown.serving is None:
        return Card("Serving", "bad", "no model", "The service answers 503.", "promotions")
    value = f"version {shown.serving}"
    if not shown.promotions:
        return Card("Serving", "plain", value, "Since when is not known.", "promotions")
    latest = shown.promotions[0]
    if latest.to_version != shown.serving:
        note = f"The registry's champion is {latest.to_version or 'nobody'}."
        return Card("Serving", "bad", value, note, "promotions")
    since = f"Champion since {words.moment(latest.changed_at)}"
    note = f"{since}, {words.ago(latest.changed_at, now)}"
    return Card("Serving", "good", value, note, "promotions")


def _error(shown: Monitoring, now: datetime) -> Card | None:  # noqa: ARG001
    if not shown.performance:
        return None
    latest = shown.performance[0]
    limits = {
        "floor": latest.floor_mae,
        "threshold": error_threshold(latest, shown.limits.error_ratio),
    }
    known = {name: value for name, value in limits.items() if value is not None}
    verdict: Verdict = "plain"
    if known and latest.model_version != FLOOR:
        verdict = "good" if latest.mae < min(known.values()) else "bad"
    told = ", ".join(f"{name} {words.minutes(value)}" for name, value in known.items())
    note = f"mean in {latest.month}, version {latest.model_version}; {told or 'no limit known'}"
    return Card("Error", verdict, f"{words.minutes(latest.mae)} min", note, "performance")


def _coverage(shown: Monitoring, now: datetime) -> Card | None:  # noqa: ARG001
    if not shown.performance or shown.performance[0].coverage_80 is None:
        return None
    latest, limits = shown.performance[0], shown.limits
    share = shown.performance[0].coverage_80
    within = limits.min_coverage <= share <= limits.max_coverage
    bounds = f"{limits.min_coverage:.0%} to {limits.max_coverage:.0%}"
    note = f"of {latest.month} inside the 80% interval; {bounds} is right"
    return Card("Coverage", "good" if within else "bad", words.percent(share), note, "performance")


def _drift(shown: Monitoring, now: datetime) -> Card | None:  # noqa: ARG001
    if not shown.drift:
        return None
    latest = shown.drift[0]
    names = ", ".join(one.column_name for one in latest.columns if one.drifted) or "no column"
    value = f"{latest.drifted_columns} of {latest.compared_columns}"
    note = f"columns in {latest.month}: {names}; from {latest.threshold:.0%} on it is drift"
    return Card("Drift", "bad" if latest.drifted else "good", value, note, "drift")


def _data(shown: Monitoring, now: datetime) -> Card | None:
    if shown.loaded_months:
        month = shown.loaded_months[0]
        source, name, at = month.source, month.month, month.loaded_at
        note = f"{words.count(month.kept)} trips kept, {words.count(month.quarantined)} not usable"
    elif shown.drift:
        report = shown.drift[0]
        source, name, at = report.source, report.month, report.reported_at
        note = f"{words.count(report.current_trips)} trips reported"
    else:
        return None
    # The same month again is not news: its age is that of the first run that is known.
    runs = [run for run in shown.runs if (run.source, run.month) == (source, name)]
    ends = [run.ended_at for run in runs if run.status == "completed" and run.ended_at]
    first = min([at, *ends])
    verdict: Verdict = "good" if now - first < STALE else "bad"
    return Card("Data", verdict, name, f"{note}; came {words.ago(first, now)}", "data")


def _runs(shown: Monitoring, now: datetime) -> Card | None:
    runs = [run for run in shown.runs if run.source != DRILL]
    if not runs:
        return None
    # The newest come first: of each pipeline its last run stays.
    latest = {run.pipeline: run for run in reversed(runs)}
    failed = sum(run.status != "completed" for run in runs)
    at = runs[0].ended_at or runs[0].started_at
    note = f"{words.plural(len(runs), 'run')} listed, {failed or 'none'} incomplete"
    ended = f"; the last one {words.ago(at, now)}" if at else ""
    for run in latest.values():
        if run.status != "completed":
            return Card("Pipeline", "bad", f"{run.pipeline} {run.status}", note + ended, "runs")
    return Card("Pipeline", "good", "last runs completed", note + ended, "runs")


def _asked(shown: Monitoring, now: datetime) -> Card | None:  # noqa: ARG001
    if not shown.asked:
        return None
    total = sum(hour.predictions for hour in shown.asked)
    unknown = sum(hour.predictions * hour.unknown_area_share for hour in shown.asked) / total
    slowest = max((hour.p95_ms for hour in shown.asked if hour.p95_ms is not None), default=None)
    note = (
        f"in 24 hours, {words.percent(unknown)} with an unknown area;"
        f" slowest hour's 95% under {words.number(slowest, '{:.1f}')} ms"
    )
    return Card("Asked", "plain", words.plural(total, "prediction"), note, "asked")


def _alarms(shown: Monitoring, now: datetime) -> Card | None:
    raised = [alarm for alarm in shown.alarms if not alarm.drill]
    if not raised:
        return None
    latest, value = raised[0], f"{len(raised)} in 7 days"
    note = f"{latest.kind}: {latest.subject}, {words.ago(latest.raised_at, now)}"
    return Card("Alarms", "bad", value, note, "alarms")


def error_threshold(month: MonthPerformance, ratio: float) -> float | None:
    """The MAE from which the month counts against its model, minutes; the floor table is none."""
    if month.expected_mae is None or month.model_version == FLOOR:
        return None
    return month.expected_mae * ratio
