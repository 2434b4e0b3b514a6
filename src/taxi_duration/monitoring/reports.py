"""The reports in S3: `reports/drift/<source>/<month>/drift.html` and `drift.json`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from taxi_duration.errors import MonitoringError
from taxi_duration.monitoring.figures import Figures
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

PREFIX: Final = "reports/drift"
STAGED: Final = "reports/.staged"
HTML: Final = "drift.html"
JSON: Final = "drift.json"
CONTENT_TYPES: Final = {HTML: "text/html; charset=utf-8", JSON: "application/json"}
# S3 metadata of the two objects: the same report in the MLflow UI.
URL: Final = "mlflow-url"


class DriftReport(msgspec.Struct, frozen=True):
    """A report that is in S3: its two objects, its page in the MLflow UI, and its figures."""

    html: str
    json: str
    url: str
    figures: Figures


class _Document(msgspec.Struct):
    """The JSON of a report, without what Evidently says in it."""

    report: Figures


def document(figures: Figures, evidently: dict[str, Any]) -> bytes:
    """The JSON of a report: Evidently's own, and all figures under `report`."""
    return msgspec.json.encode({"report": figures, **evidently}, enc_hook=float)


def read_figures(data: bytes) -> Figures:
    """The figures in the JSON of a report."""
    return msgspec.json.decode(data, type=_Document).report


def publish(settings: Settings, figures: Figures, folder: Path, url: str) -> dict[str, str]:
    """Put the two files of the folder in the place of the month's former ones; returns their URIs.

    Raises MonitoringError.
    """
    return publish_at(settings, f"drift/{figures.source}/{figures.month}", folder, url)


def publish_at(settings: Settings, place: str, folder: Path, url: str) -> dict[str, str]:
    """Put the two files of the folder into `reports/<place>`, instead of former ones; their URIs.

    Both are first written beside and then copied by S3 itself, so that an upload that fails leaves
    the former report whole. Raises MonitoringError.
    """
    storage = Storage.from_settings(settings)
    place, staged = f"reports/{place}", f"{STAGED}/{place}"
    with reached(storage):
        try:
            for name in CONTENT_TYPES:
                _put(storage, f"{staged}/{name}", (folder / name).read_bytes(), url)
            for name in CONTENT_TYPES:
                source = {"Bucket": storage.bucket, "Key": f"{staged}/{name}"}
                storage.client.copy_object(
                    Bucket=storage.bucket, Key=f"{place}/{name}", CopySource=source
                )
        finally:
            for name in CONTENT_TYPES:
                storage.client.delete_object(Bucket=storage.bucket, Key=f"{staged}/{name}")
    return {"html": storage.uri(f"{place}/{HTML}"), "json": storage.uri(f"{place}/{JSON}")}


def list_reports(settings: Settings) -> list[DriftReport]:
    """All reports in S3, by source and month. Raises MonitoringError where S3 cannot be read."""
    storage = Storage.from_settings(settings)
    with reached(storage):
        keys = sorted(listed["Key"] for listed in storage.objects(f"{PREFIX}/"))
        return [_read(storage, key.removesuffix(JSON)) for key in keys if key.endswith(f"/{JSON}")]


def read_report(settings: Settings, source: str, month: str) -> DriftReport:
    """One report in S3. Raises MonitoringError where there is none."""
    storage = Storage.from_settings(settings)
    with reached(storage):
        return _read(storage, f"{PREFIX}/{source}/{month}/")


def save(settings: Settings, report: DriftReport, folder: Path) -> Path:
    """Fetch a report's page into the folder; returns the file, named by source and month."""
    storage = Storage.from_settings(settings)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"drift-{report.figures.source}-{report.figures.month}.html"
    with reached(storage):
        key = storage.key(report.html)
        path.write_bytes(storage.client.get_object(Bucket=storage.bucket, Key=key)["Body"].read())
    return path


def _put(storage: Storage, key: str, data: bytes, url: str) -> None:
    kind = CONTENT_TYPES[key.rpartition("/")[2]]
    storage.client.put_object(
        Bucket=storage.bucket, Key=key, Body=data, ContentType=kind, Metadata={URL: url}
    )


def _read(storage: Storage, place: str) -> DriftReport:
    answer = storage.client.get_object(Bucket=storage.bucket, Key=place + JSON)
    return DriftReport(
        html=storage.uri(place + HTML),
        json=storage.uri(place + JSON),
        url=answer["Metadata"].get(URL, ""),
        figures=read_figures(answer["Body"].read()),
    )


@contextmanager
def reached(storage: Storage) -> Iterator[None]:
    """Raises MonitoringError where S3 fails."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        place = f"{storage.uri(PREFIX)} at {storage.endpoint or 'AWS'}"
        raise MonitoringError(
            f"S3 failed for the reports in {place}: {error}",
            "Is the stack up (`taxi status`), and is the report there (`taxi reports`)?",
        ) from error
