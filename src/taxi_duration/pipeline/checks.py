"""What a block left behind, seen from outside: the lake and the registry are asked again."""

from typing import Any

import pyarrow.compute as pc

from taxi_duration.registry.champion import champion
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month


def training_trips(cleaned: dict[str, Any]) -> int:
    """How many trips the months of history have."""
    return sum(cleaned["trips"][month] for month in cleaned["history"])


def enough_trips(settings: Settings, cleaned: dict[str, Any]) -> bool:
    """Whether the months of history have enough trips to train on."""
    return training_trips(cleaned) >= settings.min_training_trips


def stored_trips(settings: Settings, cleaned: dict[str, Any]) -> dict[str, int]:
    """Trips that the lake holds of each month of the run."""
    rows = Lake(Storage.from_settings(settings), cleaned["source"]).rows()
    return {month: rows.get(month, 0) for month in cleaned["trips"]}


def durations(settings: Settings, cleaned: dict[str, Any]) -> tuple[float, float]:
    """Shortest and longest duration in the lake among the months of the run, minutes."""
    trips = Lake(Storage.from_settings(settings), cleaned["source"]).read(
        [Month.parse(month) for month in cleaned["trips"]],
        version=cleaned["lake"]["version"],
        columns=["trip_seconds"],
    )
    ends = pc.min_max(trips["trip_seconds"]).as_py()
    return ends["min"] / 60, ends["max"] / 60


def champion_version(settings: Settings) -> str:
    """Version of the registered model that serves now; empty: none."""
    serving = champion(settings)
    return serving.version if serving else ""
