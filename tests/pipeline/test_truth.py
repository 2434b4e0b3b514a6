"""When a month's trips are there: who served then is judged, and predictions get their outcomes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Table, delete, select, update

from answered import MONTHS, TRIPS, cleaned, log, log_trips, months_in_a_lake
from duration_service.monitoring.reading import Reader
from monitored import figures
from registered import damaged, logged, registered
from taxi_duration.contract import CHICAGO
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.model_history import append, served_during
from taxi_duration.monitoring.outcomes import delete_old_outcomes
from taxi_duration.monitoring.recording import record
from taxi_duration.monitoring.reports import DriftReport
from taxi_duration.monitoring.tables import (
    loaded_months,
    outcomes,
    performance,
    performance_segments,
    quarantined,
)
from taxi_duration.pipeline.truth import record_truth
from taxi_duration.registry.versions import Change, register
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month
from trips_factory import make_trips, model_for_other_features

pytestmark = pytest.mark.stack

MARCH = Month.parse(MONTHS[-1])
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def settings(backends: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Version 1 served from February on, version 2 from the tenth of March."""
    with months_in_a_lake(backends, tmp_path_factory.mktemp("home")) as settings:
        for number, month, day in (("1", 2, 1), ("2", 3, 10), ("3", 4, 1)):
            assert registered(settings).version == number
            with connect(settings) as connection:
                append(connection, settings.model_name, promotion(number, month, day))
        yield settings


def promotion(number: str, month: int, day: int) -> Change:
    return Change(
        alias="champion",
        former=str(int(number) - 1 or ""),
        version=number,
        action="promote",
        by="pipeline",
        reason="It is better.",
        at=datetime(2019, month, day, tzinfo=CHICAGO),
    )


@pytest.fixture(scope="module")
def known(settings: Settings) -> Any:
    """Predictions of three real trips, one by champion and challenger, and of others."""
    trips = make_trips(MONTHS[-1], TRIPS)
    asked = datetime(2019, 3, 12, tzinfo=CHICAGO)
    log_trips(settings, trips.slice(0, 3), asked)
    both = {"id": uuid4(), "trip_id": trips["trip_id"][7].as_py()}
    log(settings, [both, both | {"role": "challenger", "model_version": "2"}])
    log(settings, [{"trip_id": "page-map"}, {"trip_id": "of no city"}, {}])
    return trips


@pytest.fixture(scope="module")
def recorded(settings: Settings, known: Any) -> dict[str, Any]:
    return record_truth(settings, cleaned(settings, champion="2"))


def rows(settings: Settings, table: Table) -> list[dict[str, Any]]:
    with connect(settings) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def test_all_that_served_during_the_month_are_known(settings: Settings) -> None:
    with connect(settings) as connection:
        served = [served_during(connection, settings.model_name, MARCH + n) for n in (-2, -1, 0, 1)]
    assert served == [[], ["1"], ["1", "2"], ["3"]]


def test_who_served_then_is_judged_by_the_trips_of_then(
    settings: Settings, recorded: dict[str, Any]
) -> None:
    assert (recorded["served"], recorded["judged"]) == (["1", "2"], ["1"])
    (row,) = rows(settings, performance)
    assert (row["model_version"], row["dataset"], row["served"]) == ("1", "current", True)
    assert (row["month"], row["trips"]) == (MARCH.start.date(), TRIPS)
    assert 0.7 < row["coverage_80"] < 0.9
    assert row["mae"] < row["floor_mae"]
    assert 0 < row["late_5"] < 0.5


@pytest.mark.parametrize("days", [-1, 1])
def test_on_the_page_the_version_of_the_drift_report_speaks_whichever_branch_ends_first(
    settings: Settings, recorded: dict[str, Any], days: int
) -> None:
    made = figures(month=str(MARCH), model_version="2", made_at=datetime.now(UTC) + DAY * days)
    record(settings, DriftReport("s3://b/h", "s3://b/j", "http://mlflow/", made))
    shown = Reader.from_settings(settings).figures().performance
    speak = {one.model_version: one for one in shown if one.judged}
    assert {one.model_version for one in shown} == {"1", "2"}
    assert list(speak) == ["2"]
    assert speak["2"].expected_mae is not None
    with connect(settings) as connection:
        for table in (performance, performance_segments):
            connection.execute(delete(table).where(table.c.model_version == "2"))


def test_a_version_that_has_learned_the_month_is_not_judged_by_it(
    settings: Settings, recorded: dict[str, Any]
) -> None:
    february = {**cleaned(settings, champion="2"), "month": MONTHS[1]}
    again = record_truth(settings, february)
    assert (again["served"], again["judged"]) == (["1"], [])


def test_each_segment_is_judged_too(settings: Settings, recorded: dict[str, Any]) -> None:
    found = {row["segment"]: row for row in rows(settings, performance_segments)}
    (whole,) = rows(settings, performance)
    for name in ("trips", "mae", "bias", "within_5", "coverage_80", "late_5", "floor_mae"):
        assert found["all"][name] == pytest.approx(whole[name]), name
    hours = ("night", "morning", "midday", "evening", "late evening")
    assert sum(found[name]["trips"] for name in hours) == TRIPS


def test_a_prediction_of_a_known_trip_gets_its_outcome(
    settings: Settings, known: Any, recorded: dict[str, Any]
) -> None:
    seconds = dict(
        zip(*(known[name].to_pylist() for name in ("trip_id", "trip_seconds")), strict=True)
    )
    found = rows(settings, outcomes)
    assert recorded["outcomes"] == len(found) == 5
    assert {row["minutes"] for row in found} == {seconds[r["trip_id"]] / 60 for r in found}
    assert {(row["role"], row["model_version"]) for row in found} == {
        ("champion", "1"),
        ("challenger", "2"),
    }
    assert {(row["prediction"], row["lower"], row["upper"]) for row in found} == {(10, 8, 14)}


def test_what_has_no_outcome_has_no_row(settings: Settings, recorded: dict[str, Any]) -> None:
    assert not {row["trip_id"] for row in rows(settings, outcomes)} & {"page-map", "of no city"}


def test_what_the_lake_has_is_told_by_month_and_reason(
    settings: Settings, recorded: dict[str, Any]
) -> None:
    months = {row["month"].isoformat()[:7]: row for row in rows(settings, loaded_months)}
    assert list(months) == MONTHS
    last = months[MONTHS[-1]]
    assert (last["asked"], last["loaded"], last["kept"]) == (2_000, TRIPS + 3, TRIPS)
    assert (last["quarantined"], months[MONTHS[0]]["quarantined"]) == (3, 0)
    reasons = {row["reason"]: row["trips"] for row in rows(settings, quarantined)}
    assert reasons == {"too_short": 2, "duplicate": 1}


def test_a_month_that_comes_again_says_it_all_once(
    settings: Settings, recorded: dict[str, Any]
) -> None:
    changed = cleaned(settings, champion="2")
    changed["quarantined"][MONTHS[-1]] = {"duplicate": 1}
    record_truth(settings, changed)
    assert [row["reason"] for row in rows(settings, quarantined)] == ["duplicate"]
    assert len(rows(settings, outcomes)) == 5
    assert len(rows(settings, performance)) == 1


def test_old_outcomes_go(settings: Settings, recorded: dict[str, Any]) -> None:
    with connect(settings) as connection:
        moved = update(outcomes).where(outcomes.c.role == "challenger")
        connection.execute(moved.values(matched_at=datetime(2020, 1, 1, tzinfo=CHICAGO)))
        assert delete_old_outcomes(connection, 730) == 1
        assert delete_old_outcomes(connection, 730) == 0
        connection.rollback()


def test_a_version_that_is_no_longer_registered_is_told_and_not_judged(
    settings: Settings, recorded: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with connect(settings) as connection:
        append(connection, settings.model_name, promotion("99", 3, 20))
    again = record_truth(settings, cleaned(settings, champion="2"))
    assert again["judged"] == ["1"]
    assert "version 99 served and is not judged" in caplog.text


def test_a_version_whose_files_are_damaged_is_told_and_not_judged(
    settings: Settings, recorded: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    number = damaged(settings, tmp_path).version
    with connect(settings) as connection:
        append(connection, settings.model_name, promotion(number, 3, 22))
    assert record_truth(settings, cleaned(settings, champion="2"))["judged"] == ["1"]
    assert "prediction.txt is not the file that was saved" in caplog.text


def test_a_version_for_other_features_is_told_and_not_judged(
    settings: Settings, recorded: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    former = register(settings, logged(settings, model_for_other_features())).version
    with connect(settings) as connection:
        append(connection, settings.model_name, promotion(former, 3, 21))
    assert record_truth(settings, cleaned(settings, champion="2"))["judged"] == ["1"]
    assert f"version {former} served and is not judged: The model" in caplog.text
