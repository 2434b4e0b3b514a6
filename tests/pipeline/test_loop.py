"""The end of the drift branch against a real Postgres: alarms, decisions, what is queued."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from monitored import figures, with_own_database
from taxi_duration.errors import PipelineError
from taxi_duration.monitoring import retrainings as decisions
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.figures import Figures
from taxi_duration.monitoring.judged_months import judged_month, read_judged
from taxi_duration.monitoring.recording import record
from taxi_duration.monitoring.reports import DriftReport
from taxi_duration.monitoring.tables import alarms, retrainings
from taxi_duration.pipeline.ending import is_over
from taxi_duration.pipeline.loop import judge_retraining, queue_retraining, retraining_wanted
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month

pytestmark = pytest.mark.stack


@pytest.fixture
def settings(backends: Settings) -> Iterator[Settings]:
    with with_own_database(backends) as settings:
        yield settings


def month_of(name: str, slow: float = 1.0, **changes: Any) -> Figures:
    """A month whose error, by the mean duration, is so many times the reference's."""
    made = figures(month=name, **changes)
    window, reference = judged_month(made), made.performance["reference"]
    mae = slow * reference.mae * window.minutes / window.reference_minutes
    current = msgspec.structs.replace(made.performance["current"], mae=mae)
    return msgspec.structs.replace(made, performance={**made.performance, "current": current})


def report(settings: Settings, made: Figures) -> dict[str, Any]:
    """Record a month; what its step hands on."""
    record(settings, DriftReport("s3://b/h", "s3://b/j", "http://mlflow/", made))
    return {
        "source": made.source,
        "month": made.month,
        "history": ["2019-01", "2019-02"],
        "asked": 0,
        "seed": 0,
        "city_api": "",
        "replace_source": False,
        "retraining": 0,
        "drill": made.source == "drill",
        "exported": {"url": "http://mlflow/"},
    }


def rows(settings: Settings, table: Any) -> list[dict[str, Any]]:
    with connect(settings) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


class Mage:
    """Takes the place of `trigger_pipeline`, and of the runs that there are since."""

    def __init__(self) -> None:
        self.runs: list[Any] = []

    def __call__(self, pipeline: str, variables: dict[str, Any], schedule_name: str) -> Any:
        self.runs.append(SimpleNamespace(id=71 + len(self.runs), variables=variables))
        return self.runs[-1]


def queue(settings: Settings, decided: dict[str, Any], mage: Mage | None = None) -> dict[str, Any]:
    mage = mage or Mage()
    return queue_retraining(settings, decided, mage, mage.runs)


def test_what_is_recorded_is_read_again_as_the_window_of_the_report(settings: Settings) -> None:
    made = month_of("2019-04", 1.4)
    report(settings, made)
    assert read_judged(settings, "simulated", Month(2019, 4), 3) == [judged_month(made)]


def test_a_calm_month_raises_and_decides_nothing(settings: Settings) -> None:
    decided = judge_retraining(settings, report(settings, month_of("2019-03")), "5")
    assert not retraining_wanted(decided)
    assert decided["retrain"]["reason"] == "2019-03 is under its thresholds."
    assert rows(settings, alarms) == rows(settings, retrainings) == []


def test_the_second_slow_month_queues_one_run_that_learns_it(settings: Settings) -> None:
    first = judge_retraining(settings, report(settings, month_of("2019-03", 1.5)), "5")
    assert not retraining_wanted(first)
    assert [row["kind"] for row in rows(settings, alarms)] == ["drift"]
    second = judge_retraining(settings, report(settings, month_of("2019-04", 1.5)), "6")
    again = judge_retraining(settings, report(settings, month_of("2019-04", 1.5)), "6")
    assert retraining_wanted(second)
    assert again["retrain"]["number"] == second["retrain"]["number"]
    mage = Mage()
    queued = queue(settings, second, mage)
    assert queue(settings, second, mage)["retraining_run"] == "71"
    assert [run.variables for run in mage.runs] == [
        {
            "month": "2019-04",
            "seed": 0,
            "history": 2,
            "cap": 0,
            "retraining": second["retrain"]["number"],
        }
    ]
    [row] = rows(settings, retrainings)
    assert (row["status"], row["pipeline_run_id"], row["drill"]) == (
        "queued",
        queued["retraining_run"],
        False,
    )
    assert [window["month"] for window in row["evidence"]] == ["2019-03", "2019-04"]
    assert row["evidence"][1]["error_ratio"] == pytest.approx(1.5)
    assert [row["kind"] for row in rows(settings, alarms)] == ["drift", "drift", "retraining"]


def test_a_retraining_neither_warns_nor_queues_another(settings: Settings) -> None:
    report(settings, month_of("2019-03", 1.5))
    recorded = report(settings, month_of("2019-04", 1.5))
    decided = judge_retraining(settings, {**recorded, "retraining": 3}, "7")
    assert not retraining_wanted(decided)
    assert rows(settings, alarms) == rows(settings, retrainings) == []


def test_a_second_one_within_the_cool_down_is_refused_and_written_down(settings: Settings) -> None:
    for number, month in enumerate(("2019-03", "2019-04", "2019-05", "2019-06"), start=5):
        recorded = report(settings, month_of(month, 1.5))
        decided = judge_retraining(settings, recorded, str(number))
        if retraining_wanted(decided):
            queue(settings, decided)
    assert [(str(r["month"])[:7], r["status"]) for r in rows(settings, retrainings)] == [
        ("2019-04", "queued"),
        ("2019-06", "refused"),
    ]


def test_a_retraining_that_could_not_be_started_is_no_answer(settings: Settings) -> None:
    def refuses(*_: Any, **__: Any) -> Any:
        raise RuntimeError("database is locked")

    report(settings, month_of("2019-03", 1.5))
    recorded = report(settings, month_of("2019-04", 1.5))
    with pytest.raises(PipelineError, match=r"did not start the retraining.*database is locked"):
        queue_retraining(settings, judge_retraining(settings, recorded, "6"), refuses, [])
    again = judge_retraining(settings, recorded, "7")
    assert retraining_wanted(again)
    queue(settings, again)
    third = judge_retraining(settings, recorded, "8")
    assert not retraining_wanted(third)


def test_of_a_step_that_is_tried_again_the_last_decision_counts(settings: Settings) -> None:
    for number, month in enumerate(("2019-03", "2019-04", "2019-05", "2019-06"), start=5):
        recorded = report(settings, month_of(month, 1.5))
        refused = judge_retraining(settings, recorded, str(number))
        if retraining_wanted(refused):
            queue(settings, refused)
    at_once = settings.model_copy(update={"retrain_cooldown_days": 0})
    decided = judge_retraining(at_once, recorded, "8")
    assert decided["retrain"]["number"] == refused["retrain"]["number"]
    queue(at_once, decided)
    assert [(str(r["month"])[:7], r["status"]) for r in rows(settings, retrainings)] == [
        ("2019-04", "queued"),
        ("2019-06", "queued"),
    ]
    following = report(settings, month_of("2019-07", 1.5))
    reason = judge_retraining(at_once, following, "9")["retrain"]["reason"]
    assert "over a threshold, 2 needed" in reason


def test_a_run_that_was_queued_and_not_written_down_is_found_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    report(settings, month_of("2019-03", 1.5))
    recorded = report(settings, month_of("2019-04", 1.5))
    decided, mage = judge_retraining(settings, recorded, "6"), Mage()
    with monkeypatch.context() as patched:
        patched.setattr(decisions, "started", killed)
        with pytest.raises(KeyboardInterrupt):
            queue(settings, decided, mage)
    mage("taxi_duration", {"retraining": 99}, "api")
    mage("taxi_duration", {}, "api")
    assert queue(settings, decided, mage)["retraining_run"] == "71"
    assert len(mage.runs) == 3
    [row] = rows(settings, retrainings)
    assert row["pipeline_run_id"] == "71"


@pytest.mark.parametrize("started", [False, True])
def test_a_step_that_is_tried_again_takes_back_what_it_decided_before(
    settings: Settings, started: bool
) -> None:
    report(settings, month_of("2019-03", 1.5))
    recorded = report(settings, month_of("2019-04", 1.5))
    decided = judge_retraining(settings, recorded, "6")
    if started:
        queue(settings, decided)
    patient = settings.model_copy(update={"retrain_over": 3})
    assert not retraining_wanted(judge_retraining(patient, recorded, "6"))
    assert len(rows(settings, retrainings)) == started


def test_an_earlier_month_that_is_reported_again_decides_nothing(settings: Settings) -> None:
    for month in ("2019-03", "2019-04", "2019-05"):
        recorded = report(settings, month_of(month, 1.5))
    earlier = judge_retraining(settings, {**recorded, "month": "2019-04"}, "9")
    assert "2019-05 was reported already" in earlier["retrain"]["reason"]


def test_a_month_with_gaps_raises_an_alarm_that_names_them(settings: Settings) -> None:
    made = month_of("2019-03")
    quality = [
        msgspec.structs.replace(column, missing_share=0.5)
        if column.column_name == "pickup_community_area"
        else column
        for column in made.quality["current"]
    ]
    made = msgspec.structs.replace(made, quality={**made.quality, "current": quality})
    judge_retraining(settings, report(settings, made), "5")
    [alarm] = rows(settings, alarms)
    assert alarm["kind"] == "quality"
    assert alarm["message"].startswith("pickup_community_area is missing in 50% more of the trips")


def test_drills_are_marked_and_count_for_nothing_else(settings: Settings) -> None:
    for month in ("2019-03", "2019-04"):
        recorded = report(settings, month_of(month, 1.5, source="drill"))
        decided = judge_retraining(settings, recorded, f"drill {month}")
    mage = Mage()
    queue(settings, decided, mage)
    assert mage.runs[0].variables["drill"] is True
    assert {row["drill"] for row in rows(settings, retrainings)} == {True}
    assert {row["drill"] for row in rows(settings, alarms)} == {True}
    for month in ("2019-03", "2019-04"):
        recorded = report(settings, month_of(month, 1.5))
        real = judge_retraining(settings, recorded, f"real {month}")
    assert retraining_wanted(real)


def block(name: str, status: str) -> Any:
    return SimpleNamespace(block_uuid=name, status=SimpleNamespace(value=status))


@pytest.mark.parametrize(
    ("last", "queued", "over"),
    [("initial", False, True), ("initial", True, False), ("completed", True, True)],
)
def test_a_run_is_over_where_only_a_retraining_that_nobody_wants_is_left(
    settings: Settings, last: str, queued: bool, over: bool
) -> None:
    started = datetime.now(UTC)
    for month in ("2019-03", "2019-04"):
        recorded = report(settings, month_of(month, 1.5 if queued else 1.0))
        judge_retraining(settings, recorded, "6" if month == "2019-04" else "5")
    blocks = [block("register_model", "condition_failed"), block("queue_retraining", last)]
    run = SimpleNamespace(id=6, started_at=started, block_runs=blocks)
    assert is_over(settings, run) is over
    waiting = SimpleNamespace(
        id=6, started_at=started, block_runs=[*blocks, block("gate", "running")]
    )
    assert is_over(settings, waiting) is False
