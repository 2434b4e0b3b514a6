"""What a month's trips tell once they are there: who was right, and what the lake now holds.

Trips are published long after they were asked about, and the model that answered then may not be
the one that serves now.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from taxi_duration.errors import ModelError, UnknownVersionError
from taxi_duration.monitoring.database import connect, migrate
from taxi_duration.monitoring.figures import CURRENT, Measured
from taxi_duration.monitoring.loaded import LoadedFigures, record_loaded
from taxi_duration.monitoring.model_history import served_during
from taxi_duration.monitoring.outcomes import asked_about, delete_old_outcomes, record_outcomes
from taxi_duration.monitoring.performance import performance
from taxi_duration.monitoring.recording import record_performance
from taxi_duration.monitoring.scoring import score, score_by_floor
from taxi_duration.monitoring.segments import segment_performance
from taxi_duration.pipeline.predicting import floor_of, model_of, month_trips, reference_trips
from taxi_duration.registry import champion
from taxi_duration.settings import Settings
from taxi_duration.simulation.source import DRILL
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month

logger = logging.getLogger(__name__)


def record_truth(settings: Settings, cleaned: dict[str, Any]) -> dict[str, Any]:
    """Write what came of the months, who served in the run's month and how well, and the outcomes.

    The version that serves now is judged by the drift branch, whether it served then or not. Adds
    `served` (the versions that were champion during the month), `judged` (those of them that were
    scored here) and `outcomes` (how many logged predictions got theirs).
    """
    month = Month.parse(cleaned["month"])
    with connect(settings) as connection:
        migrate(connection)
        for figures in _loaded(settings, cleaned):
            record_loaded(connection, figures)
        served = served_during(connection, settings.model_name, month)
        # A drill's trips bear the ids of real ones, whose outcomes they must not replace.
        drill = cleaned["source"] == DRILL
        asked = [] if drill else asked_about(connection, month)
    _tell(month, served, cleaned["champion"])
    found = [_measure(settings, cleaned, version) for version in served]
    measured = [one for one in found if one]
    trips = _lake(settings, cleaned).find(month, asked, version=cleaned["lake"]["version"])
    with connect(settings) as connection:
        for one in measured:
            record_performance(connection, one, served=True)
        outcomes = record_outcomes(connection, cleaned["source"], month, trips)
        delete_old_outcomes(connection, settings.monitoring_days)
    logger.info("%d predictions of %d known trips have got an outcome", outcomes, trips.num_rows)
    judged = [one.model_version for one in measured]
    return {**cleaned, "served": served, "judged": judged, "outcomes": outcomes}


def _loaded(settings: Settings, cleaned: dict[str, Any]) -> list[LoadedFigures]:
    lake, found = _lake(settings, cleaned), []
    for name, loaded in cleaned["rows"].items():
        month = Month.parse(name)
        asked, _ = lake.raw_made_from(month) or (0, "")
        figures = LoadedFigures(
            source=cleaned["source"],
            month=month,
            asked=asked,
            loaded=loaded,
            kept=cleaned["trips"][name],
            reasons=cleaned["quarantined"][name],
            loaded_at=lake.raw_written_at(month),
        )
        found.append(figures)
    return found


def _tell(month: Month, served: list[str], present: str) -> None:
    if served:
        logger.info("%s: champion was version %s", month, ", then ".join(served))
    elif present:
        logger.info("%s: no champion yet; version %s of now is judged by it", month, present)


def _measure(settings: Settings, cleaned: dict[str, Any], number: str) -> Measured | None:
    """How a version did on the month; None where it is judged elsewhere or cannot be."""
    if number == cleaned["champion"]:
        return None
    try:
        version = champion.version(settings, number)
    except UnknownVersionError as error:
        logger.warning("version %s served and is not judged: %s", number, error)
        return None
    if version.source != cleaned["source"]:
        logger.warning("version %s served and is of %s trips", number, version.source)
        return None
    if cleaned["month"] in version.months:
        logger.warning("version %s served and has learned the month", number)
        return None
    try:
        predict = model_of(settings, version)
    except ModelError as error:
        logger.warning("version %s served and is not judged: %s", number, error)
        return None
    storage = Storage.from_settings(settings)
    floor = floor_of(reference_trips(storage, cleaned, version.months), cleaned["seed"])
    scored = score(month_trips(storage, cleaned), predict)
    scored = score_by_floor(scored, floor)
    return Measured(
        month=cleaned["month"],
        source=cleaned["source"],
        model_version=number,
        made_at=datetime.now(UTC),
        performance={CURRENT: performance(scored)},
        segments=segment_performance(scored),
    )


def _lake(settings: Settings, cleaned: dict[str, Any]) -> Lake:
    return Lake(Storage.from_settings(settings), cleaned["source"])
