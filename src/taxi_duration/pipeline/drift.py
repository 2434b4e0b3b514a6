"""The drift branch: score both sides with the champion, compare them, publish, record."""

import logging
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import ModelError, UnknownVersionError
from taxi_duration.monitoring import recording, reports, tracking
from taxi_duration.monitoring.figures import CURRENT, FLOOR, REFERENCE, Figures, Subject
from taxi_duration.monitoring.judged_months import judged_by
from taxi_duration.monitoring.scoring import Predict, score, score_by_floor
from taxi_duration.pipeline.predicting import (
    floor_of,
    model_of,
    month_trips,
    predicted_by,
    reference_trips,
)
from taxi_duration.registry import champion
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.months import Month

logger = logging.getLogger(__name__)


def score_trips(settings: Settings, cleaned: dict[str, Any]) -> dict[str, Any]:
    """Score the run's month, and the months that the champion was trained on.

    Adds `scored` (S3 URIs of `reference` and `current`), `reference_months` and `model_version`.
    A champion that has learned the month cannot be judged by it: the version that the month's
    former report is about scores again. Where there is neither, nor a champion from the same
    source that is whole and for this code's features, the months of history are the reference and
    their floor table scores: the version is `floor`. Raises NoTripsError where a month is not in
    the lake.
    """
    storage = Storage.from_settings(settings)
    serving, model = _model(settings, _judge(settings, cleaned))
    earlier = [month for month in cleaned["history"] if month != cleaned["month"]]
    months = serving.months if serving else earlier
    reference = reference_trips(storage, cleaned, months)
    floor = floor_of(reference, cleaned["seed"])
    predict = model or predicted_by(floor)
    scored = {REFERENCE: _store(storage, cleaned, REFERENCE, score(reference, predict))}
    # Five million trips take a quarter of a gigabyte.
    del reference
    current = score_by_floor(score(month_trips(storage, cleaned), predict), floor)
    return {
        **cleaned,
        "scored": {**scored, CURRENT: _store(storage, cleaned, CURRENT, current)},
        "reference_months": list(months),
        "model_version": serving.version if serving else FLOOR,
    }


def drift_report(settings: Settings, scored: dict[str, Any]) -> dict[str, Any]:
    """Compare the two sides and write the report into a folder of its own below `settings.home`.

    Adds `report` (paths of `html` and `json`) and `figures`, the few that say how it went.
    """
    # Evidently takes seconds to import, and only this step needs it.
    from taxi_duration.monitoring.monthly import monthly_report  # noqa: PLC0415

    storage = Storage.from_settings(settings)
    read = {
        side: partial(storage.read_table, storage.key(uri))
        for side, uri in scored["scored"].items()
    }
    made = monthly_report(_subject(settings, scored), read, sample=settings.report_sample)
    folder = _work_folder(settings, scored)
    files = {"html": folder / reports.HTML, "json": folder / reports.JSON}
    files["html"].write_text(made.html, encoding="utf-8")
    files["json"].write_bytes(made.json)
    return {
        **scored,
        "report": {kind: str(path) for kind, path in files.items()},
        "figures": _told(made.figures),
    }


def export_report(settings: Settings, reported: dict[str, Any]) -> dict[str, Any]:
    """Publish the report in MLflow and S3.

    Adds `exported`: S3 URIs of `html` and `json`, and `url`, its page in the MLflow UI.
    """
    folder = Path(reported["report"]["html"]).parent
    figures = reports.read_figures(Path(reported["report"]["json"]).read_bytes())
    url = tracking.log_report(settings, figures, folder)
    uris = reports.publish(settings, figures, folder, url)
    logger.info("report: %s and %s", url, uris["html"])
    return {**reported, "exported": {**uris, "url": url}}


def record_drift(settings: Settings, exported: dict[str, Any]) -> dict[str, Any]:
    """Write the figures of the published report to Postgres, and remove its folder.

    Adds `recorded` (rows written), `drifted_share` (0 to 1) and `drifted`.
    """
    report = reports.read_report(settings, exported["source"], exported["month"])
    recorded = recording.record(settings, report)
    # Not by the step that publishes it, which could not be tried again then.
    shutil.rmtree(Path(exported["report"]["html"]).parent, ignore_errors=True)
    return {
        **exported,
        "recorded": recorded,
        "drifted_share": report.figures.drifted_share,
        "drifted": report.figures.drifted,
    }


def _judge(settings: Settings, cleaned: dict[str, Any]) -> ModelVersion | None:
    """The version that the month is to judge; None: there is none that it is new to."""
    serving, month = _champion_of_source(settings, cleaned), cleaned["month"]
    if not serving or month not in serving.months:
        return serving
    former = judged_by(settings, cleaned["source"], Month.parse(month))
    logger.warning(
        "the champion (version %s) has learned %s, which %s scores as before",
        *(serving.version, month, f"version {former}" if former else "the floor table"),
    )
    if former in ("", FLOOR):
        return None
    try:
        version = champion.version(settings, former)
    except UnknownVersionError as error:
        logger.warning("%s: the floor table of the months of history scores", error)
        return None
    return None if month in version.months else version


def _model(
    settings: Settings, version: ModelVersion | None
) -> tuple[ModelVersion, Predict] | tuple[None, None]:
    """The version with what it answers; neither where it is none that this code can ask."""
    if not version:
        return None, None
    try:
        return version, model_of(settings, version)
    except ModelError as error:
        logger.warning("%s: the floor table of the months of history scores", error)
        return None, None


def _champion_of_source(settings: Settings, cleaned: dict[str, Any]) -> ModelVersion | None:
    if not cleaned["champion"]:
        logger.info("no champion yet: the floor table of the months of history scores")
        return None
    serving = champion.version(settings, cleaned["champion"])
    if serving.source == cleaned["source"]:
        return serving
    logger.warning(
        "the champion (version %s) was trained on %s trips, and these are %s ones:"
        " the floor table of the months of history scores",
        serving.version,
        serving.source,
        cleaned["source"],
    )
    return None


def _store(storage: Storage, cleaned: dict[str, Any], side: str, scored: pa.Table) -> str:
    key = f"scored/{cleaned['source']}/{cleaned['month']}/{side}.parquet"
    return storage.write_table(key, scored)


def _subject(settings: Settings, scored: dict[str, Any]) -> Subject:
    return Subject(
        month=scored["month"],
        source=scored["source"],
        model_version=scored["model_version"],
        reference_months=scored["reference_months"],
        lake_version=scored["lake"]["version"],
        seed=scored["seed"],
        threshold=settings.drift_share,
    )


def _work_folder(settings: Settings, scored: dict[str, Any]) -> Path:
    """The month's own folder, emptied of what a run that was cut off may have left."""
    folder = settings.home / "work" / f"drift-{scored['source']}-{scored['month']}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _told(figures: Figures) -> dict[str, Any]:
    """The few figures that travel on, which are logged as well."""
    told = {
        "drifted_columns": figures.drifted_columns,
        "drifted_share": figures.drifted_share,
        "mae": figures.performance[CURRENT].mae,
        "reference_mae": figures.performance[REFERENCE].mae,
    }
    logger.info("%s against %s: %s", figures.month, ", ".join(figures.reference_months), told)
    return told
