"""The live pipeline, one function a block: what was asked in a window beside what is usual then."""

import logging
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec
import pyarrow as pa

from taxi_duration.errors import ModelError, NoTripsError, SettingsError, UnknownVersionError
from taxi_duration.monitoring import live_reports, tracking
from taxi_duration.monitoring.alarms import Alarm, raise_alarm, send_waiting
from taxi_duration.monitoring.database import connect, migrate
from taxi_duration.monitoring.live import (
    LiveFigures,
    delete_old_requests,
    delete_old_windows,
    forget_reports,
    live_compared,
    live_document,
    live_page,
    record_live,
)
from taxi_duration.monitoring.live_drift import WINDOWS, drifted_since_calm, lasts
from taxi_duration.monitoring.live_window import Asked, Window, asked, asked_sample
from taxi_duration.monitoring.reports import HTML, JSON
from taxi_duration.monitoring.usual import missing_share, same_hours, unseen_share
from taxi_duration.pipeline.usual import Usual, usual
from taxi_duration.pipeline.variables import REMEDY
from taxi_duration.registry import champion
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

logger = logging.getLogger(__name__)


class LiveVariables(msgspec.Struct, frozen=True, kw_only=True):
    """What a person or a trigger asks of one run of the live pipeline."""

    # Hours of the window.
    hours: Annotated[int, msgspec.Meta(ge=1)]
    seed: Annotated[int, msgspec.Meta(ge=0)]
    # The end of the window, UTC where it has no zone; none: now.
    execution_date: datetime | None = None

    @classmethod
    def from_mage(cls, settings: Settings, kwargs: Mapping[str, object]) -> Self:
        """As `RunVariables.from_mage`."""
        defaults = {"hours": settings.live_hours, "seed": settings.seed}
        given = {name: kwargs[name] for name in cls.__struct_fields__ if name in kwargs}
        given = {name: value for name, value in given.items() if value not in ("", None, [])}
        try:
            return msgspec.convert({**defaults, **given}, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"A variable cannot be used: {error}.", REMEDY) from error

    @property
    def window(self) -> Window:
        """The window that the run is about."""
        return Window.until(self.execution_date or datetime.now(UTC), self.hours)


def load_window(settings: Settings, variables: LiveVariables) -> dict[str, Any]:
    """Count what the service answered in the window, and store a sample of it in S3.

    Returns `window`, `seed`, `asked` (the counts), and S3 URIs: `pairs` (of areas) and `sample`
    (empty: too few were asked to compare). Nothing asked is no failure.
    """
    storage = Storage.from_settings(settings)
    window, sample = variables.window, ""
    with connect(settings) as connection:
        migrate(connection)
        found, pairs = asked(connection, window)
        if found.predictions >= settings.live_min_predictions:
            rows = asked_sample(connection, window, settings.report_sample, variables.seed)
            sample = storage.write_table("scored/live/current.parquet", rows)
    logger.info("%s: %d predictions", window.name, found.predictions)
    return {
        "window": msgspec.to_builtins(window),
        "seed": variables.seed,
        "asked": msgspec.to_builtins(found),
        "pairs": storage.write_table("scored/live/pairs.parquet", pairs),
        "sample": sample,
    }


def compare_window(settings: Settings, loaded: dict[str, Any]) -> dict[str, Any]:
    """Compare the sample with the trips that the model was trained on, of the same hours.

    Adds `figures`, and `report`: the folder of the page and its JSON, empty where nothing was
    compared.
    """
    found = msgspec.convert(loaded["asked"], Asked)
    known = _usual(settings, found, loaded["seed"])
    figures, folder = _figures(settings, loaded, found, known), ""
    if known and loaded["sample"]:
        figures, folder = _compare(settings, loaded, figures, known)
    told = {"drifted_share": figures.drifted_share, "columns": figures.drifted_columns}
    logger.info("%s: %s", figures.window.name, told if figures.drift else "nothing was compared")
    return {**loaded, "figures": msgspec.to_builtins(figures), "report": folder}


def record_window(settings: Settings, compared: dict[str, Any]) -> dict[str, Any]:
    """Publish the report, write the figures to Postgres, and delete what is too old.

    Raises an alarm where this is one of several windows in a row that drifted, and sends those that
    reached nobody. A page of a window that drifted goes to MLflow as well, whose UI shows it. Adds
    `recorded` (rows written) and `exported` (the page's S3 URI and its address in the MLflow UI;
    empty: none).
    """
    figures = msgspec.convert(compared["figures"], LiveFigures)
    exported = _export(settings, figures, compared["report"])
    oldest = Window.until(datetime.now(UTC) - timedelta(days=settings.live_report_days), 0).end
    live_reports.delete_live_before(settings, oldest)
    with connect(settings) as connection:
        recorded = record_live(
            connection,
            figures,
            report_uri=exported["html"] or None,
            report_url=exported["url"] or None,
        )
        forget_reports(connection, oldest)
        delete_old_windows(connection, settings.monitoring_days)
        delete_old_requests(connection, settings.prediction_log_days)
        drifted = drifted_since_calm(connection)
    # This pipeline comes by the hour: what a month's run could not tell waits no longer than that.
    send_waiting(settings)
    _tell(settings, figures, drifted, exported["url"])
    if compared["report"]:
        # Last: where something failed before, the step can be tried again.
        shutil.rmtree(compared["report"])
    return {**compared, "recorded": recorded, "exported": exported}


def _tell(settings: Settings, figures: LiveFigures, drifted: list[Window], url: str) -> None:
    """Raise an alarm once, until a window is as usual again: its subject is the first that drifted.

    A window of the past that is compared again is no news.
    """
    if not drifted or drifted[0].end != figures.window.end or not lasts(drifted):
        return
    found = ", ".join(figures.drifted_columns)
    subject = f"live traffic, first seen {drifted[-1].end:%Y-%m-%d %H:%M} UTC"
    message = (
        f"Each of the last {WINDOWS} windows or more drifted; in the latest"
        f" {len(figures.drifted_columns)} of {len(figures.drift)} columns ({found}). Report: {url}"
    )
    raise_alarm(settings, Alarm(kind="drift", subject=subject, message=message))


def _usual(settings: Settings, found: Asked, seed: int) -> Usual | None:
    """What is usual for the version that answered; None where nobody can know it."""
    if not found.predictions:
        return None
    try:
        return usual(settings, champion.version(settings, found.model_version), seed)
    except (UnknownVersionError, NoTripsError, ModelError) as error:
        logger.warning("nothing to compare with: %s", error)
        return None


def _figures(
    settings: Settings, loaded: dict[str, Any], found: Asked, known: Usual | None
) -> LiveFigures:
    storage = Storage.from_settings(settings)
    pairs = storage.read_table(storage.key(loaded["pairs"]))
    return LiveFigures(
        window=msgspec.convert(loaded["window"], Window),
        predictions=found.predictions,
        answered_requests=found.answered_requests,
        model_version=found.model_version or None,
        unseen_pairs_share=unseen_share(pairs, known.pairs) if known else None,
        missing_areas_share=missing_share(pairs),
        reference_missing_share=missing_share(known.pairs) if known else None,
        p50_ms=found.p50_ms,
        p95_ms=found.p95_ms,
        p99_ms=found.p99_ms,
        refused_requests=found.refused_requests,
        failed_requests=found.failed_requests,
        made_at=datetime.now(UTC),
        threshold=settings.drift_share,
        drift=[],
    )


def _compare(
    settings: Settings, loaded: dict[str, Any], figures: LiveFigures, known: Usual
) -> tuple[LiveFigures, str]:
    # Evidently takes seconds to import, and only this step needs it.
    from taxi_duration.monitoring.drift import compare  # noqa: PLC0415

    storage = Storage.from_settings(settings)
    asked_for: pa.Table = storage.read_table(storage.key(loaded["sample"]))
    reference = same_hours(known.trips, asked_for, settings.report_sample, loaded["seed"])
    if not reference.num_rows:
        return figures, ""
    found = compare(
        live_compared(reference), live_compared(asked_for), drift_share=figures.threshold
    )
    figures = msgspec.structs.replace(
        figures, reference_trips=reference.num_rows, drift=found.columns
    )
    folder = _work_folder(settings, figures.window)
    (folder / HTML).write_text(live_page(found.html, figures), encoding="utf-8")
    (folder / JSON).write_bytes(live_document(figures, found.evidently))
    return figures, str(folder)


def _export(settings: Settings, figures: LiveFigures, report: str) -> dict[str, str]:
    if not report:
        return {"html": "", "json": "", "url": ""}
    folder = Path(report)
    url = tracking.log_live(settings, figures, folder) if figures.drifted else ""
    uris = live_reports.publish_live(settings, figures.window, folder, url)
    logger.info("report: %s", url or uris["html"])
    return {**uris, "url": url}


def _work_folder(settings: Settings, window: Window) -> Path:
    folder = settings.home / "work" / f"live-{window.name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
