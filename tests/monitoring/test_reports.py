from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ill_s3 import refusing_server
from monitored import figures
from taxi_duration.errors import MissingObjectError, MonitoringError, StorageError
from taxi_duration.monitoring.figures import Figures
from taxi_duration.monitoring.live_reports import list_live
from taxi_duration.monitoring.reports import (
    document,
    list_reports,
    publish,
    read_figures,
    read_report,
    save,
)
from taxi_duration.settings import Settings, load_settings
from taxi_duration.storage import Storage

URL = "http://mlflow/#/experiments/1/runs/2/artifacts/drift.html"


def published(settings: Settings, folder: Path, made: Figures, page: str = "<p>page</p>") -> Any:
    (folder / "drift.html").write_text(page)
    (folder / "drift.json").write_bytes(document(made, {"metrics": []}))
    return publish(settings, made, folder, URL)


def test_the_json_holds_what_evidently_says_and_all_figures() -> None:
    made = figures()
    evidently = {"metrics": [{"value": np.float64(0.5)}, {"value": np.float32(2)}], "tests": []}
    data = document(made, evidently)
    plain = msgspec.json.decode(data)
    assert [metric["value"] for metric in plain["metrics"]] == [0.5, 2]
    assert plain["report"]["performance"]["current"]["mae"] == made.performance["current"].mae
    assert read_figures(data) == made


@pytest.mark.stack
def test_a_report_lies_in_the_folder_of_its_source_and_month(
    bucket: Settings, tmp_path: Path
) -> None:
    uris = published(bucket, tmp_path, figures())
    place = f"s3://{bucket.s3_bucket}/reports/drift/simulated/2019-03"
    assert uris == {"html": f"{place}/drift.html", "json": f"{place}/drift.json"}
    storage = Storage.from_settings(bucket)
    kinds = {}
    for name, uri in uris.items():
        head = storage.client.head_object(Bucket=storage.bucket, Key=storage.key(uri))
        kinds[name] = head["ContentType"]
    assert kinds == {"html": "text/html; charset=utf-8", "json": "application/json"}


@pytest.mark.stack
def test_nothing_but_the_reports_is_left_in_s3(bucket: Settings, tmp_path: Path) -> None:
    published(bucket, tmp_path, figures())
    published(bucket, tmp_path, figures(model_version="4"))
    found = Storage.from_settings(bucket).client.list_objects_v2(Bucket=bucket.s3_bucket)
    assert [item["Key"].rpartition("/")[2] for item in found["Contents"]] == [
        "drift.html",
        "drift.json",
    ]


@pytest.mark.stack
def test_the_list_has_the_reports_of_all_sources_and_months(
    bucket: Settings, tmp_path: Path
) -> None:
    assert list_reports(bucket) == []
    for source, month in [("simulated", "2019-04"), ("files", "2019-03"), ("simulated", "2019-03")]:
        published(bucket, tmp_path, figures(source=source, month=month))
    found = list_reports(bucket)
    assert [(r.figures.source, r.figures.month) for r in found] == [
        ("files", "2019-03"),
        ("simulated", "2019-03"),
        ("simulated", "2019-04"),
    ]
    assert {report.url for report in found} == {URL}
    assert found[0].figures == figures(source="files")


@pytest.mark.stack
def test_a_report_that_is_published_again_takes_the_place_of_the_former(
    bucket: Settings, tmp_path: Path
) -> None:
    published(bucket, tmp_path, figures())
    published(bucket, tmp_path, figures(model_version="4"), page="<p>again</p>")
    (report,) = list_reports(bucket)
    assert report.figures.model_version == "4"
    assert save(bucket, report, tmp_path / "saved").read_text() == "<p>again</p>"


@pytest.mark.stack
def test_an_upload_that_fails_leaves_the_former_report_whole(
    bucket: Settings, tmp_path: Path
) -> None:
    published(bucket, tmp_path, figures(), page="<p>former</p>")
    wrong = bucket.model_copy(update={"s3_access_key_id": "nobody"})
    with pytest.raises(StorageError, match="TAXI_S3_ACCESS_KEY_ID"):
        published(wrong, tmp_path, figures(model_version="4"), page="<p>later</p>")
    (tmp_path / "drift.json").unlink()
    with pytest.raises(FileNotFoundError):
        publish(bucket, figures(model_version="4"), tmp_path, URL)
    report = read_report(bucket, "simulated", "2019-03")
    assert report.figures.model_version == "3"
    assert save(bucket, report, tmp_path).read_text() == "<p>former</p>"


@pytest.mark.stack
def test_what_an_upload_that_failed_left_behind_no_list_shows_and_the_next_removes(
    bucket: Settings, tmp_path: Path
) -> None:
    storage = Storage.from_settings(bucket)
    storage.put("reports/.staged/drift/simulated/2019-03/drift.html", b"<p>half</p>")
    assert list_reports(bucket) == []
    published(bucket, tmp_path, figures())
    assert not list(storage.objects("reports/.staged/"))


@pytest.mark.slow
def test_a_server_that_refused_the_first_file_is_not_asked_for_more(tmp_path: Path) -> None:
    with refusing_server(403) as (url, requests):
        settings = load_settings(
            s3_endpoint=url, s3_bucket="trips", s3_access_key_id="k", s3_secret_access_key="s"
        )
        with pytest.raises(StorageError, match="TAXI_S3_ACCESS_KEY_ID"):
            published(settings, tmp_path, figures())
    assert requests == ["PUT /trips/reports/.staged/drift/simulated/2019-03/drift.html"]


@pytest.mark.stack
@pytest.mark.parametrize(
    ("place", "read"), [("drift/simulated/2019-03", list_reports), ("live/20190301T00", list_live)]
)
def test_a_report_that_cannot_be_read_is_named(
    bucket: Settings, place: str, read: Callable[[Settings], object]
) -> None:
    Storage.from_settings(bucket).put(f"reports/{place}/drift.json", b'{"report": {"month"')
    with pytest.raises(
        MonitoringError, match=f"s3://{bucket.s3_bucket}/reports/{place}/drift.json"
    ):
        read(bucket)


@pytest.mark.stack
def test_a_report_that_is_not_there_is_named(bucket: Settings) -> None:
    with pytest.raises(MissingObjectError, match=rf"s3://{bucket.s3_bucket}/reports/drift"):
        read_report(bucket, "city", "2019-03")


def test_an_s3_server_that_does_not_answer_is_named() -> None:
    silent = load_settings(
        s3_endpoint="http://127.0.0.1:1", s3_access_key_id="key", s3_secret_access_key="secret"
    )
    with pytest.raises(StorageError, match=r"http://127\.0\.0\.1:1"):
        list_reports(silent)
