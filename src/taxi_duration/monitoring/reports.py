"""The reports in S3: `reports/drift/<source>/<month>/drift.html` and `drift.json`."""

from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from taxi_duration.errors import UNREADABLE, MonitoringError
from taxi_duration.monitoring.figures import Figures
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

Kind = TypeVar("Kind")

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


def decoded(content: bytes, uri: str, kind: type[Kind]) -> Kind:
    """The JSON of a report in S3. Raises MonitoringError where it cannot be read."""
    try:
        return msgspec.json.decode(content, type=kind)
    except UNREADABLE as error:
        raise MonitoringError(
            f"The report {uri} cannot be read: {error}.",
            "Delete it, or let what makes it run again: it is replaced then.",
        ) from error


def publish(settings: Settings, figures: Figures, folder: Path, url: str) -> dict[str, str]:
    """Put the two files of the folder in the place of the month's former ones; returns their URIs.

    Raises StorageError.
    """
    return publish_at(settings, f"drift/{figures.source}/{figures.month}", folder, url)


def publish_at(settings: Settings, place: str, folder: Path, url: str) -> dict[str, str]:
    """Put the two files of the folder into `reports/<place>`, instead of former ones; their URIs.

    Both are first written beside and then copied by S3 itself, so that an upload that fails leaves
    the former report whole. What it leaves beside no reader lists, and the next attempt replaces
    and deletes it: a server that has just failed is not asked for more. Raises StorageError.
    """
    storage = Storage.from_settings(settings)
    place, staged = f"reports/{place}", f"{STAGED}/{place}"
    contents = {name: (folder / name).read_bytes() for name in CONTENT_TYPES}
    for name, kind in CONTENT_TYPES.items():
        storage.put(f"{staged}/{name}", contents[name], ContentType=kind, Metadata={URL: url})
    # The JSON last: where it is there, so is its page.
    for name in CONTENT_TYPES:
        storage.copy(f"{staged}/{name}", f"{place}/{name}")
    storage.delete_all([f"{staged}/{name}" for name in CONTENT_TYPES])
    return {"html": storage.uri(f"{place}/{HTML}"), "json": storage.uri(f"{place}/{JSON}")}


def list_reports(settings: Settings) -> list[DriftReport]:
    """All reports in S3, by source and month.

    Raises StorageError where S3 cannot be read, MonitoringError where a report cannot.
    """
    storage = Storage.from_settings(settings)
    keys = sorted(listed["Key"] for listed in storage.objects(f"{PREFIX}/"))
    return [_read(storage, key.removesuffix(JSON)) for key in keys if key.endswith(f"/{JSON}")]


def read_report(settings: Settings, source: str, month: str) -> DriftReport:
    """One report in S3. Raises MissingObjectError where there is none, and as `list_reports`."""
    return _read(Storage.from_settings(settings), f"{PREFIX}/{source}/{month}/")


def save(settings: Settings, report: DriftReport, folder: Path) -> Path:
    """Fetch a report's page into the folder; returns the file, named by source and month."""
    storage = Storage.from_settings(settings)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"drift-{report.figures.source}-{report.figures.month}.html"
    path.write_bytes(storage.get(storage.key(report.html)).content)
    return path


def _read(storage: Storage, place: str) -> DriftReport:
    found = storage.get(place + JSON)
    return DriftReport(
        html=storage.uri(place + HTML),
        json=storage.uri(place + JSON),
        url=found.metadata.get(URL, ""),
        figures=decoded(found.content, storage.uri(place + JSON), _Document).report,
    )
