from collections.abc import Callable
from typing import Any

import pytest

from monitored import with_own_bucket
from taxi_duration.pipeline.exported import report_problems
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

FOLDER = "reports/drift/files/2019-03"
Put = Callable[[str, bytes, str], None]

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    return with_own_bucket(backends)


@pytest.fixture(scope="module")
def storage(settings: Settings) -> Storage:
    return Storage.from_settings(settings)


@pytest.fixture
def put(storage: Storage) -> Put:
    def put_object(key: str, body: bytes, content_type: str) -> None:
        storage.client.put_object(
            Bucket=storage.bucket, Key=key, Body=body, ContentType=content_type
        )

    return put_object


def exported(storage: Storage, folder: str) -> dict[str, Any]:
    uris = {kind: storage.uri(f"{folder}/drift.{kind}") for kind in ("html", "json")}
    return {"source": "files", "month": "2019-03", "exported": uris}


def test_a_report_that_is_there_has_no_problems(
    settings: Settings, storage: Storage, put: Put
) -> None:
    put(f"{FOLDER}/drift.html", b"<html>", "text/html; charset=utf-8")
    put(f"{FOLDER}/drift.json", b"{}", "application/json")
    assert report_problems(settings, exported(storage, FOLDER)) == ""


def test_a_report_of_another_month_is_a_problem(settings: Settings, storage: Storage) -> None:
    problems = report_problems(settings, exported(storage, "reports/drift/files/2019-02"))
    assert problems.count(f"does not lie in {storage.uri(FOLDER)}") == 2


def test_a_missing_an_empty_and_a_wrongly_typed_report_are_problems(
    settings: Settings, storage: Storage, put: Put
) -> None:
    report = exported(storage, FOLDER)
    storage.client.delete_object(Bucket=storage.bucket, Key=f"{FOLDER}/drift.html")
    put(f"{FOLDER}/drift.json", b"", "application/json")
    problems = report_problems(settings, report)
    assert "drift.html is not there" in problems
    assert "drift.json is empty" in problems
    put(f"{FOLDER}/drift.json", b"{}", "text/plain")
    assert "drift.json is text/plain" in report_problems(settings, report)
