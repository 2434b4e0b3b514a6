"""The reports of live windows in S3: `reports/live/<window>/drift.html` and `drift.json`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from taxi_duration.monitoring.live import LiveFigures
from taxi_duration.monitoring.live_window import NAME, Window
from taxi_duration.monitoring.reports import HTML, JSON, URL, decoded, publish_at
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

PREFIX: Final = "reports/live"
LATEST: Final = 24


class LiveReport(msgspec.Struct, frozen=True):
    """A window's report in S3: its two objects, its page in the MLflow UI, and its figures."""

    html: str
    json: str
    # Empty: the window did not drift.
    url: str
    figures: LiveFigures


class _Document(msgspec.Struct):
    report: LiveFigures


def publish_live(settings: Settings, window: Window, folder: Path, url: str) -> dict[str, str]:
    """Put the two files of the folder in the place of the window's former ones; their URIs."""
    return publish_at(settings, f"live/{window.name}", folder, url)


def list_live(settings: Settings, latest: int = LATEST) -> list[LiveReport]:
    """The latest windows' reports, the earliest first.

    Raises StorageError without S3, MonitoringError where a report cannot be read.
    """
    storage = Storage.from_settings(settings)
    return [_read(storage, window) for window in _windows(storage)[-latest:]]


def save_live(settings: Settings, report: LiveReport, folder: Path) -> Path:
    """Fetch a report's page into the folder; returns the file, named by its window."""
    storage = Storage.from_settings(settings)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"live-{report.figures.window.name}.html"
    path.write_bytes(storage.get(storage.key(report.html)).content)
    return path


def delete_live_before(settings: Settings, moment: datetime) -> None:
    """Delete the reports of windows that began before a moment, a whole minute."""
    storage = Storage.from_settings(settings)
    limit = f"{moment.astimezone(UTC):{NAME}}"
    for window in (each for each in _windows(storage) if each < limit):
        for name in (HTML, JSON):
            storage.delete(f"{PREFIX}/{window}/{name}")


def _windows(storage: Storage) -> list[str]:
    keys = [listed["Key"] for listed in storage.objects(f"{PREFIX}/")]
    return sorted(key.split("/")[-2] for key in keys if key.endswith(f"/{JSON}"))


def _read(storage: Storage, window: str) -> LiveReport:
    place = f"{PREFIX}/{window}"
    found = storage.get(f"{place}/{JSON}")
    return LiveReport(
        html=storage.uri(f"{place}/{HTML}"),
        json=storage.uri(f"{place}/{JSON}"),
        url=found.metadata.get(URL, ""),
        figures=decoded(found.content, storage.uri(f"{place}/{JSON}"), _Document).report,
    )
