"""The pipeline as Mage's scheduler executes it, with its conditional and its callback."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from answered import log_trips
from mage_parts import city, isolated, run_headless
from taxi_duration.monitoring.database import connect, migrate
from taxi_duration.monitoring.tables import loaded_months, pipeline_runs
from taxi_duration.pipeline import checks
from taxi_duration.pipeline.exported import report_problems
from taxi_duration.pipeline.mage_api import LIVE_PIPELINE
from taxi_duration.pipeline.promotion import promote
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

VARIABLES: dict[str, object] = {"month": "2019-03", "history": 1}
TRAINING = {"build_features", "train_models", "evaluate_models", "gate", "register_model"}


@pytest.fixture(scope="module")
def place(
    backends: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, str]]:
    home = tmp_path_factory.mktemp("mage")
    with city() as url, isolated(backends, url, home) as settings_and_database:
        yield settings_and_database


@pytest.fixture(scope="module")
def live_run(place: tuple[Settings, str], full_run: dict[str, Any]) -> dict[str, Any]:
    """A window in which some trips of the month were asked about."""
    version = full_run["blocks"]["register_model"]["output"]["version"]
    with connect(place[0]) as connection:
        migrate(connection)
    trips = Lake(Storage.from_settings(place[0]), "simulated").read([Month(2019, 3)])
    at = datetime.now(UTC) - timedelta(minutes=20)
    log_trips(place[0], trips.slice(0, 200), at, model_version=version)
    return run_headless(*place, {"hours": 2}, LIVE_PIPELINE)


@pytest.fixture(scope="module")
def full_run(place: tuple[Settings, str]) -> dict[str, Any]:
    return run_headless(*place, VARIABLES)


def recorded(settings: Settings, run: dict[str, Any]) -> dict[str, Any]:
    query = select(pipeline_runs).where(pipeline_runs.c.run_id == str(run["id"]))
    with connect(settings) as connection:
        return dict(connection.execute(query).mappings().one())


def states(run: dict[str, Any]) -> dict[str, str]:
    return {name: block["status"] for name, block in run["blocks"].items()}


def test_a_full_run_completes_with_every_block_but_the_retraining(full_run: dict[str, Any]) -> None:
    assert full_run["status"] == "completed", full_run["log"][-3_000:]
    skipped = {name for name, state in states(full_run).items() if state != "completed"}
    assert skipped == {"queue_retraining"}
    assert states(full_run)["queue_retraining"] == "condition_failed"


def test_its_model_serves_and_its_report_is_in_s3(
    place: tuple[Settings, str], full_run: dict[str, Any]
) -> None:
    registered = full_run["blocks"]["register_model"]["output"]
    assert checks.champion_version(place[0]) == registered["champion"] == registered["version"]
    assert not report_problems(place[0], full_run["blocks"]["record_drift"]["output"])


def test_its_end_is_recorded(place: tuple[Settings, str], full_run: dict[str, Any]) -> None:
    row = recorded(place[0], full_run)
    assert (row["status"], row["source"], row["error"]) == ("completed", "simulated", None)
    assert (row["pipeline"], row["month"].isoformat()) == ("taxi_duration", "2019-03-01")
    assert row["started_at"] < row["ended_at"]


def test_what_came_of_the_month_is_recorded(
    place: tuple[Settings, str], full_run: dict[str, Any]
) -> None:
    told = full_run["blocks"]["record_truth"]["output"]
    assert (told["served"], told["judged"], told["outcomes"]) == ([], [], 0)
    with connect(place[0]) as connection:
        months = connection.execute(select(loaded_months.c.month)).scalars()
        assert [month.isoformat() for month in months] == ["2019-02-01", "2019-03-01"]


def test_the_live_pipeline_compares_what_was_asked(
    place: tuple[Settings, str], live_run: dict[str, Any]
) -> None:
    assert set(states(live_run).values()) == {"completed"}, live_run["log"][-3_000:]
    output = live_run["blocks"]["record_window"]["output"]
    assert (output["figures"]["predictions"], output["recorded"]) == (200, 4)
    assert not report_problems(place[0], output)
    row = recorded(place[0], live_run)
    assert (row["pipeline"], row["status"]) == ("live_monitoring", "completed")
    assert (row["month"], row["source"]) == (None, None)
    for name, block in live_run["blocks"].items():
        assert len(json.dumps(block["output"])) < 10_000, name


def test_only_references_and_small_values_travel(full_run: dict[str, Any]) -> None:
    for name, block in full_run["blocks"].items():
        assert len(json.dumps(block["output"])) < 10_000, name


def test_what_the_package_logs_is_in_the_log_of_the_block(full_run: dict[str, Any]) -> None:
    assert "Raw trips of simulated" in full_run["log"]


def test_the_decision_of_the_gate_is_in_the_log(full_run: dict[str, Any]) -> None:
    gated = full_run["blocks"]["gate"]["output"]
    assert gated["decision"]["promoted"] is True
    assert f"kept   error: {gated['decision']['reason']}" in full_run["log"]
    assert "The candidate is to be promoted. The whole decision: http" in full_run["log"]


def test_the_schedules_of_a_new_stack_wait_for_their_next_date(
    full_run: dict[str, Any],
) -> None:
    assert full_run["due"] == []


def test_with_too_few_trips_nothing_is_trained_and_the_run_completes(
    place: tuple[Settings, str], full_run: dict[str, Any]
) -> None:
    run = run_headless(*place, VARIABLES, TAXI_MIN_TRAINING_TRIPS="1000000")
    skipped = {name for name, state in states(run).items() if state == "condition_failed"}
    assert (run["status"], skipped) == ("completed", {*TRAINING, "queue_retraining"})
    assert set(states(run).values()) == {"completed", "condition_failed"}
    assert recorded(place[0], run)["status"] == "completed"


def test_a_block_that_fails_fails_the_run_and_is_recorded(place: tuple[Settings, str]) -> None:
    run = run_headless(*place, {**VARIABLES, "city_api": "http://127.0.0.1:9"})
    assert (run["status"], states(run)["load_trips"]) == ("failed", "failed")
    row = recorded(place[0], run)
    assert row["status"] == "failed"
    assert row["error"].startswith("load_trips: ")
    assert "http://127.0.0.1:9" in row["error"]


def test_a_month_that_a_retraining_learned_can_be_run_again(
    place: tuple[Settings, str], full_run: dict[str, Any]
) -> None:
    judged_by = full_run["blocks"]["register_model"]["output"]["champion"]
    retraining = run_headless(*place, {**VARIABLES, "retraining": 1})
    learned = retraining["blocks"]["register_model"]["output"]
    if not learned["promoted"]:
        promote(place[0], learned["version"], "a test", "It has learned the month.")
    again = run_headless(*place, VARIABLES)
    assert again["status"] == "completed", again["log"][-3_000:]
    scored = again["blocks"]["score_trips"]["output"]
    assert (scored["champion"], scored["model_version"]) == (learned["version"], judged_by)
