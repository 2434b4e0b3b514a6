"""A drill: months in which something changed go through the running stack, apart from real ones.

Months of a simulated city are served to Mage's own runs under a source of their own, and a model of
another name learns them. So everything is the real thing but what it is about.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from textwrap import shorten
from typing import Any, Final

from sqlalchemy import Table, select

from taxi_duration.errors import DrillError, PipelineError
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.monitoring.judged_months import read_judged
from taxi_duration.monitoring.tables import alarms, retrainings
from taxi_duration.pipeline.drill_traces import differences, remove_drill, traces
from taxi_duration.pipeline.mage import follow_run, run_pipeline
from taxi_duration.settings import Settings
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.server import serving
from taxi_duration.simulation.shifted import RENAMED, Kind, shifted_city
from taxi_duration.simulation.source import DRILL
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month

# A model is made of the month before this one; then the city changes.
CALM: Final = Month(2019, 3)
TOLD: Final[dict[Kind, str]] = {
    "pace": "all trips take 30% longer",
    "demand": "four of five trips within the city are gone, those of the airports stay",
    "schema": f"the City calls {RENAMED[0]} {RENAMED[1]}",
    "missing": "nobody knows where every second trip began and ended",
}

# Of what is told of one finding; the alarms and MLflow hold the rest.
WIDTH: Final = 240

Show = Callable[[str], None]


@dataclass
class Drill:
    """One drill while it runs; `failed` holds what was expected and did not happen."""

    settings: Settings
    kind: Kind
    cap: int
    show: Show
    url: str
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    failed: list[str] = field(default_factory=list)

    def run(self, month: Month) -> dict[str, Any]:
        """One run of the pipeline in Mage, followed to its end."""
        variables: dict[str, object] = {
            "month": str(month),
            "history": 1,
            "cap": self.cap,
            "city_api": self.url,
            "drill": True,
        }
        return run_pipeline(self.settings, variables, lambda line: self.show(f"  {line}"))

    def expect(self, holds: bool, expected: str, found: str) -> None:
        """Tell what was found, and keep what should have been."""
        self.show(f"  {'ok    ' if holds else 'WRONG '} {shorten(found, WIDTH, placeholder=' …')}")
        if not holds:
            self.failed.append(f"{expected} (found: {found})")

    def alarms(self) -> dict[str, str]:
        """The messages of the alarms that the drill has raised, by kind."""
        rows = self._rows(alarms, alarms.c.raised_at)
        return {row["kind"]: row["message"] for row in rows}

    def retrainings(self) -> list[dict[str, Any]]:
        """The decisions to train again that the drill has led to."""
        return self._rows(retrainings, retrainings.c.requested_at)

    def lake(self) -> tuple[dict[str, int], int]:
        """Trips by month in the drill's lake, and its version."""
        lake = Lake(Storage.from_settings(self.settings), DRILL)
        return lake.rows(), lake.version()

    def _rows(self, table: Table, moment: Any) -> list[dict[str, Any]]:
        query = select(table).where(table.c.drill, moment >= self.began).order_by(table.c.id)
        with connect(self.settings) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def run_drill(settings: Settings, kind: Kind, cap: int, show: Show) -> None:
    """Run a drill and tell it line by line; afterwards everything is as before.

    Raises DrillError naming what did not happen, or what is not as before.
    """
    show(f"Drill {kind!r}: {TOLD[kind]}, from {CALM + 1} on.")
    upgrade(settings)
    remove_drill(settings)
    before = traces(settings)
    try:
        with _city(settings, kind) as url:
            drill = Drill(settings, kind, cap, show, url)
            _calm(drill)
            STEPS[kind](drill)
    finally:
        remove_drill(settings)
        changed = differences(before, traces(settings))
        _tell_changes(before, changed, show)
    wrong = drill.failed + [f"{name} is not as before" for name in changed]
    if wrong:
        raise DrillError(f"The drill {kind!r} found what should not be: {'; '.join(wrong)}.")
    show(f"The drill {kind!r} went as it should.")


@contextmanager
def _city(settings: Settings, kind: Kind) -> Iterator[str]:
    base = SimulatedCity(settings.seed, settings.simulated_trips_per_day)
    with serving(shifted_city(base, kind, (CALM + 1).start)) as url:
        yield url


def _calm(drill: Drill) -> None:
    drill.show(f"{CALM}, in which nothing changed, makes a model of the drill's own:")
    made = drill.run(CALM)
    found = f"model {made.get('champion') or 'none'} of {made['source']} trips serves the drill"
    drill.expect(bool(made.get("champion")), "a model that serves the drill", found)
    raised = drill.alarms()
    drill.expect(not raised, "no alarm in a calm month", f"alarms: {', '.join(raised) or 'none'}")


def _train_again(drill: Drill) -> None:
    """Two months over their thresholds: alarm, retraining, gate."""
    result: dict[str, Any] = {}
    for month in (CALM + 1, CALM + 2):
        drill.show(f"{month}, in which {TOLD[drill.kind]}:")
        result = drill.run(month)
        _tell_window(drill, month)
    drill.expect("drift" in drill.alarms(), "an alarm of drift", _said(drill, "drift"))
    queued = [row for row in drill.retrainings() if row["status"] == "queued"]
    found = queued[0]["reason"] if queued else "no retraining was queued"
    drill.expect(len(queued) == 1, "one retraining queued", found)
    if not queued:
        return
    drill.show(f"The retraining, run {queued[0]['pipeline_run_id']}:")
    again = follow_run(
        drill.settings, int(result["retraining_run"]), lambda line: drill.show(f"  {line}")
    )
    found = (
        f"the gate: version {again.get('version', 'none')}: {again.get('reason', 'no decision')}"
    )
    drill.expect("version" in again, "a candidate that the gate judged", found)
    after = len(drill.retrainings())
    drill.expect(after == 1, "no retraining of a retraining", f"retrainings in all: {after}")


def _refuse(drill: Drill) -> None:
    """A month that cannot be read: the run fails, and what was there stays."""
    before, month = drill.lake(), CALM + 1
    drill.show(f"{month}, in which {TOLD[drill.kind]}:")
    try:
        drill.run(month)
        failure = ""
    except PipelineError as error:
        failure = error.cause.splitlines()[0]
    drill.expect(RENAMED[0] in failure, f"{RENAMED[0]} named", failure or "the month was loaded")
    drill.expect("data refused" in drill.alarms(), "an alarm", _said(drill, "data refused"))
    rows, version = drill.lake()
    found = f"the lake still has {rows}, version {version}"
    drill.expect((rows, version) == before, f"the lake as it was: {before}", found)


def _warn(drill: Drill) -> None:
    """A month with gaps: an alarm that names them, and no retraining."""
    month = CALM + 1
    drill.show(f"{month}, in which {TOLD[drill.kind]}:")
    drill.run(month)
    _tell_window(drill, month)
    found = _said(drill, "quality")
    drill.expect("community_area" in found, "an alarm that names the columns", found)
    queued = [row for row in drill.retrainings() if row["status"] == "queued"]
    drill.expect(not queued, "no retraining on damaged data", f"retrainings: {len(queued)}")


STEPS: Final[dict[Kind, Callable[[Drill], None]]] = {
    "pace": _train_again,
    "demand": _train_again,
    "schema": _refuse,
    "missing": _warn,
}


def _said(drill: Drill, kind: str) -> str:
    message = drill.alarms().get(kind)
    return f"alarm {kind!r}: {message}" if message else f"no alarm {kind!r}"


def _tell_window(drill: Drill, month: Month) -> None:
    [window] = read_judged(drill.settings, DRILL, month, 1)
    columns = ", ".join(window.drifted_columns) or "none"
    drill.show(f"  drifted columns: {columns} ({window.drifted_share:.0%})")
    drill.show(f"  error: {window.mae:.2f} minutes, {window.error_ratio:.2f} times the reference's")


def _tell_changes(before: dict[str, str], changed: list[str], show: Show) -> None:
    kinds = {"table": "tables", "object": "objects", "alias": "aliases"}
    counts = ", ".join(
        f"{sum(name.startswith(kind) for name in before)} {plural}"
        for kind, plural in kinds.items()
    )
    show(f"Afterwards: {counts} besides the drill's; not as before: {', '.join(changed) or 'none'}")
