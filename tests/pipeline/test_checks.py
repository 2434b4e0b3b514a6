from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from monitored import with_own_bucket
from taxi_duration.pipeline import checks
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.clean import CleanMonth
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import TRIP_SCHEMA

CLEANED = {"history": ["2019-01", "2019-02"], "trips": {"2019-01": 6, "2019-02": 4, "2019-03": 90}}
FOLDER = "reports/drift/files/2019-03"


@pytest.mark.parametrize(("least", "enough"), [(10, True), (11, False)])
def test_only_the_months_of_history_count_for_training(
    least: int, enough: bool, tmp_path: Any
) -> None:
    settings = Settings(home=tmp_path, min_training_trips=least)
    assert checks.enough_trips(settings, CLEANED) is enough


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    return with_own_bucket(backends)


@pytest.fixture(scope="module")
def storage(settings: Settings) -> Storage:
    return Storage.from_settings(settings)


@pytest.fixture
def put(storage: Storage) -> Callable[[str, bytes, str], None]:
    def put_object(key: str, body: bytes, content_type: str) -> None:
        storage.client.put_object(
            Bucket=storage.bucket, Key=key, Body=body, ContentType=content_type
        )

    return put_object


def exported(storage: Storage, folder: str) -> dict[str, Any]:
    uris = {kind: storage.uri(f"{folder}/drift.{kind}") for kind in ("html", "json")}
    return {"source": "files", "month": "2019-03", "exported": uris}


@pytest.mark.stack
def test_a_report_that_is_there_has_no_problems(
    settings: Settings, storage: Storage, put: Callable[..., None]
) -> None:
    put(f"{FOLDER}/drift.html", b"<html>", "text/html; charset=utf-8")
    put(f"{FOLDER}/drift.json", b"{}", "application/json")
    assert checks.report_problems(settings, exported(storage, FOLDER)) == ""


@pytest.mark.stack
def test_a_report_of_another_month_is_a_problem(settings: Settings, storage: Storage) -> None:
    problems = checks.report_problems(settings, exported(storage, "reports/drift/files/2019-02"))
    assert problems.count("is not the month's") == 2


@pytest.mark.stack
def test_a_missing_an_empty_and_a_wrongly_typed_report_are_problems(
    settings: Settings, storage: Storage, put: Callable[..., None]
) -> None:
    report = exported(storage, FOLDER)
    storage.client.delete_object(Bucket=storage.bucket, Key=f"{FOLDER}/drift.html")
    put(f"{FOLDER}/drift.json", b"", "application/json")
    problems = checks.report_problems(settings, report)
    assert "drift.html: Not Found" in problems
    assert "drift.json is empty" in problems
    put(f"{FOLDER}/drift.json", b"{}", "text/plain")
    assert "drift.json is text/plain" in checks.report_problems(settings, report)


@pytest.mark.stack
def test_the_lake_is_asked_for_what_it_holds_of_the_months(
    settings: Settings, storage: Storage
) -> None:
    month = Month.parse("2019-01")
    lake = Lake(storage, "simulated")
    version = lake.replace_month(month, trips_of(month, [90.0, 600.0, 3_000.0]))
    cleaned = {"source": "simulated", "trips": {"2019-01": 3, "2019-02": 9}}
    assert checks.stored_trips(settings, cleaned) == {"2019-01": 3, "2019-02": 0}
    cleaned |= {"trips": {"2019-01": 3}, "lake": {"version": version}}
    assert checks.durations(settings, cleaned) == (1.5, 50.0)


def trips_of(month: Month, seconds: list[float]) -> CleanMonth:
    columns = {
        "trip_id": [str(number) for number in range(len(seconds))],
        "trip_start_timestamp": [month.start] * len(seconds),
        "trip_seconds": seconds,
    }
    nothing = [None] * len(seconds)
    trips = pa.table([columns.get(name, nothing) for name in TRIP_SCHEMA.names], schema=TRIP_SCHEMA)
    refused = trips.slice(0, 0).append_column("reason", pa.array([], pa.string()))
    return CleanMonth(month, trips, refused, {})
