"""The live pipeline's blocks on windows with much, odd, little and no traffic."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select

from answered import MONTHS, log, log_trips, months_in_a_lake, place_in_request
from registered import damaged, logged, registered
from taxi_duration.errors import MonitoringError, SettingsError
from taxi_duration.model.dataset import trip_features
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.live_reports import list_live
from taxi_duration.monitoring.tables import alarms, live_columns, live_windows, requests
from taxi_duration.pipeline.exported import report_problems
from taxi_duration.pipeline.live import LiveVariables, compare_window, load_window, record_window
from taxi_duration.registry.versions import register
from taxi_duration.settings import Settings, load_settings
from trips_factory import make_trips, model_for_other_features, small_model

pytestmark = pytest.mark.stack

# Recent, so that no report is deleted for its age.
NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=40)


@pytest.fixture(scope="module")
def settings(backends: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with months_in_a_lake(backends, tmp_path_factory.mktemp("home")) as settings:
        registered(settings)
        yield settings


def predicted(trips: pa.Table) -> pa.Table:
    answers = small_model().predict(trip_features(trips))
    return trips.append_column("prediction", pa.array(answers[:, 1]))


def run(settings: Settings, hour: int, hours: int = 1) -> dict[str, Any]:
    """A run of the three blocks for the window that ends so many hours after noon."""
    end = NOON + timedelta(hours=hour)
    variables = LiveVariables(hours=hours, seed=1, execution_date=end)
    return record_window(settings, compare_window(settings, load_window(settings, variables)))


def window(settings: Settings, result: dict[str, Any]) -> dict[str, Any]:
    start, end = live_windows.c.window_start, live_windows.c.window_end
    at = result["figures"]["window"]
    query = select(live_windows).where(start == at["start"], end == at["end"])
    with connect(settings) as connection:
        return dict(connection.execute(query).mappings().one())


@pytest.fixture(scope="module")
def usual(settings: Settings) -> dict[str, Any]:
    """Trips of another month, asked as usual."""
    trips = predicted(make_trips(MONTHS[-1], 1_000, seed=5))
    log_trips(settings, trips, NOON + timedelta(minutes=30))
    return run(settings, 1)


@pytest.fixture(scope="module")
def odd(settings: Settings) -> dict[str, Any]:
    """All from one suburb of the far south, half of them to nowhere, an hour each."""
    trips = make_trips(MONTHS[-1], 400, seed=6)
    at = NOON + timedelta(hours=1, minutes=30)
    far = {"pickup_community_area": 55, "prediction": 60.0}
    log_trips(settings, trips.slice(0, 200), at, **far, dropoff_community_area=None)
    log_trips(settings, trips.slice(200), at, **far, dropoff_community_area=47)
    return run(settings, 2)


def test_usual_traffic_is_no_drift(settings: Settings, usual: dict[str, Any]) -> None:
    row = window(settings, usual)
    assert (row["predictions"], row["model_version"], row["drifted"]) == (1_000, "1", False)
    assert (row["compared_columns"], row["drifted_columns"]) == (3, 0)
    assert row["unseen_pairs_share"] < 0.2
    assert row["missing_areas_share"] == pytest.approx(row["reference_missing_share"], abs=0.03)
    assert row["reference_trips"] > 1_000


def test_odd_traffic_is_found_and_named(settings: Settings, odd: dict[str, Any]) -> None:
    row = window(settings, odd)
    assert (row["drifted"], row["drifted_share"]) == (True, 1)
    assert row["missing_areas_share"] == 0.5
    query = select(live_columns).where(live_columns.c.window_start == row["window_start"])
    with connect(settings) as connection:
        found = {each["column_name"]: each for each in connection.execute(query).mappings()}
    assert set(found) == {"pickup_community_area", "dropoff_community_area", "prediction"}
    assert all(each["score"] >= each["threshold"] for each in found.values())


def test_its_report_is_in_s3_and_that_of_a_drifted_window_in_mlflow(
    settings: Settings, usual: dict[str, Any], odd: dict[str, Any]
) -> None:
    assert not report_problems(settings, usual)
    assert not report_problems(settings, odd)
    first, second = list_live(settings)
    assert (first.url, second.url) == ("", odd["exported"]["url"])
    assert "/runs/" in second.url
    assert second.html.endswith(f"reports/live/{second.figures.window.name}/drift.html")
    assert second.figures.drifted_columns
    assert window(settings, odd)["report_url"] == second.url
    assert not list((settings.home / "work").iterdir())


def test_a_window_without_traffic_says_so_and_is_no_failure(settings: Settings) -> None:
    result = run(settings, 10)
    row = window(settings, result)
    assert (row["predictions"], row["answered_requests"], result["recorded"]) == (0, 0, 1)
    told = {name for name, value in row.items() if value is not None}
    assert told == {
        *("window_start", "window_end", "predictions", "answered_requests", "reported_at")
    }
    assert not report_problems(settings, result)


def test_what_the_page_asks_for_its_pictures_is_not_traffic(settings: Settings) -> None:
    at = {"predicted_at": NOON + timedelta(hours=4, minutes=30)}
    request = uuid4()
    ids = ["page", *["page-day"] * 48, *["page-map"] * 77]
    rows = [{"id": place_in_request(request, n), "trip_id": one} for n, one in enumerate(ids)]
    log(settings, [{**row, **at} for row in rows])
    row = window(settings, run(settings, 5))
    assert (row["predictions"], row["answered_requests"]) == (1, 1)


def test_a_shadow_is_not_counted(settings: Settings) -> None:
    at = NOON + timedelta(hours=5, minutes=30)
    log(settings, [{"predicted_at": at, "role": "challenger"}])
    assert window(settings, run(settings, 6))["predictions"] == 0


def test_requests_that_were_refused_or_failed_are_those_of_the_windows_minutes(
    settings: Settings,
) -> None:
    def counted(minute: int, status: str, number: int) -> dict[str, Any]:
        at = NOON + timedelta(hours=11, minutes=minute)
        return {"minute": at, "instance": f"{number}", "status": status, "requests": number}

    rows = [
        *(counted(-1, "5xx", 100), counted(60, "5xx", 100), counted(0, "2xx", 50)),
        *(counted(0, "4xx", 3), counted(59, "4xx", 4), counted(59, "5xx", 1)),
    ]
    with connect(settings) as connection:
        connection.execute(insert(requests), rows)
    row = window(settings, run(settings, 12))
    assert (row["refused_requests"], row["failed_requests"]) == (7, 1)
    assert window(settings, run(settings, 14))["failed_requests"] is None


def test_latencies_are_of_requests_and_little_traffic_is_not_compared(settings: Settings) -> None:
    at = {"predicted_at": NOON + timedelta(hours=6, minutes=30)}
    request = uuid4()
    many = [{"id": place_in_request(request, n), "latency_seconds": 1.0} for n in range(90)]
    log(settings, [{**row, **at} for row in many])
    log(settings, [{**at, "latency_seconds": 0.01}] * 4)
    row = window(settings, run(settings, 7))
    assert (row["predictions"], row["answered_requests"]) == (94, 5)
    assert (row["p50_ms"], row["p99_ms"]) == (pytest.approx(10), pytest.approx(960.4))
    assert (row["drifted"], row["report_uri"]) == (None, None)
    assert row["unseen_pairs_share"] is not None


def test_a_window_may_be_of_many_hours(
    settings: Settings, usual: dict[str, Any], odd: dict[str, Any]
) -> None:
    row = window(settings, run(settings, 3, hours=24))
    assert row["predictions"] == 1_400
    assert row["window_end"] - row["window_start"] == timedelta(hours=24)


def test_a_longer_window_leaves_the_hour_that_it_begins_with_as_it_was(
    settings: Settings, usual: dict[str, Any], odd: dict[str, Any]
) -> None:
    before, reports = window(settings, odd), len(list_live(settings))
    longer = run(settings, 4, hours=3)
    assert longer["figures"]["window"]["start"] == odd["figures"]["window"]["start"]
    assert window(settings, odd) == before
    assert not report_problems(settings, odd)
    assert len(list_live(settings)) == reports + 1
    query = select(live_columns).filter_by(window_start=before["window_start"])
    with connect(settings) as connection:
        assert len(connection.execute(query).all()) == 6


def test_a_version_that_nobody_knows_is_not_compared(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    at = NOON + timedelta(hours=8, minutes=30)
    log_trips(settings, make_trips(MONTHS[0], 150), at, model_version="77")
    row = window(settings, run(settings, 9))
    assert (row["predictions"], row["drifted"]) == (150, None)
    assert "nothing to compare with" in caplog.text


def test_a_version_for_other_features_is_not_compared(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    former = register(settings, logged(settings, model_for_other_features())).version
    at = NOON + timedelta(hours=14, minutes=30)
    log_trips(settings, make_trips(MONTHS[0], 150), at, model_version=former)
    row = window(settings, run(settings, 15))
    assert (row["predictions"], row["drifted"]) == (150, None)
    assert "expects other features" in caplog.text


def test_a_version_whose_files_are_damaged_is_not_compared(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    number = damaged(settings, tmp_path).version
    at = NOON + timedelta(hours=16, minutes=30)
    log_trips(settings, make_trips(MONTHS[0], 150), at, model_version=number)
    row = window(settings, run(settings, 17))
    assert (row["predictions"], row["drifted"]) == (150, None)
    assert "prediction.txt is not the file that was saved" in caplog.text


def test_old_reports_and_old_windows_go(
    settings: Settings, usual: dict[str, Any], odd: dict[str, Any]
) -> None:
    old = {"window_start": NOON - timedelta(days=900), "window_end": NOON, "predictions": 0}
    with connect(settings) as connection:
        row = {**old, "answered_requests": 0, "reported_at": NOON}
        connection.execute(insert(live_windows).values(row))
    run(settings.model_copy(update={"live_report_days": 1}), 10)
    assert list_live(settings) == []
    with connect(settings) as connection:
        rows = connection.execute(select(live_windows)).mappings().all()
    assert min(row["window_start"] for row in rows) > NOON - timedelta(days=2)
    assert {row["report_uri"] for row in rows} == {None}


def test_a_page_that_was_deleted_before_its_run_was_killed_is_named_no_more(
    settings: Settings,
) -> None:
    start = NOON - timedelta(days=3)
    row = {"window_start": start, "window_end": start + timedelta(hours=1), "predictions": 0}
    row |= {"answered_requests": 0, "reported_at": NOON, "report_uri": "s3://taxi/gone.html"}
    with connect(settings) as connection:
        connection.execute(insert(live_windows).values(row))
    run(settings.model_copy(update={"live_report_days": 2}), 10)
    query = select(live_windows.c.report_uri).where(live_windows.c.window_start == start)
    with connect(settings) as connection:
        assert connection.execute(query).scalar_one() is None


def test_a_window_that_could_not_be_recorded_is_recorded_when_its_step_is_tried_again(
    settings: Settings,
) -> None:
    at = NOON + timedelta(hours=18, minutes=30)
    log_trips(settings, predicted(make_trips(MONTHS[-1], 1_000, seed=9)), at)
    variables = LiveVariables(hours=1, seed=1, execution_date=NOON + timedelta(hours=19))
    compared = compare_window(settings, load_window(settings, variables))
    away = SecretStr("postgresql+psycopg2://taxi:none@127.0.0.1:1/taxi")
    with pytest.raises(MonitoringError):
        record_window(settings.model_copy(update={"database_url": away}), compared)
    assert not report_problems(settings, record_window(settings, compared))
    assert not list((settings.home / "work").iterdir())


def test_the_third_odd_window_in_a_row_is_told_once_until_it_is_calm_again(
    settings: Settings,
) -> None:
    def ask(hour: int, **changes: Any) -> None:
        at = NOON + timedelta(hours=hour - 1, minutes=30)
        trips = predicted(make_trips(MONTHS[-1], 1_000, seed=hour))
        log_trips(settings, trips, at, **changes)
        assert run(settings, hour)["figures"]["drift"]

    far = {"pickup_community_area": 55, "dropoff_community_area": 47, "prediction": 60.0}
    subjects = []
    for hour, changes in enumerate([{}, far, far, far, far, {}, far, far, far], start=21):
        ask(hour, **changes)
        with connect(settings) as connection:
            rows = connection.execute(select(alarms)).mappings().all()
        subjects.append([row["subject"] for row in rows])
    assert [len(each) for each in subjects] == [0, 0, 0, 1, 1, 1, 1, 1, 2]
    assert subjects[-1] == [
        f"live traffic, first seen {NOON + timedelta(hours=hour):%Y-%m-%d %H:%M} UTC"
        for hour in (22, 27)
    ]
    assert "pickup_community_area" in rows[0]["message"]


def test_a_variable_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(SettingsError, match="hours"):
        LiveVariables.from_mage(load_settings(), {"hours": "0"})


def test_variables_from_a_form_are_read_and_empty_ones_take_their_settings() -> None:
    given = {"hours": "6", "seed": "", "execution_date": datetime(2026, 1, 2, 3, 4, 5)}
    variables = LiveVariables.from_mage(load_settings(seed=7), given)
    assert (variables.hours, variables.seed) == (6, 7)
    assert variables.window.name == "2026-01-01T2104Z-6h"
    assert variables.window.end == datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
