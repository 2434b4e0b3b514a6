"""What a block left behind, seen from outside: the lake, the registry and S3 are asked again."""

from typing import Any, Final

import pyarrow.compute as pc
from botocore.exceptions import ClientError

from taxi_duration.registry.champion import champion
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month

CONTENT_TYPES: Final = {"html": "text/html", "json": "application/json"}


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


def report_problems(settings: Settings, exported: dict[str, Any]) -> str:
    """What is wrong with the month's drift report in S3; empty: nothing."""
    storage = Storage.from_settings(settings)
    folder = storage.uri(f"reports/drift/{exported['source']}/{exported['month']}/")
    problems = []
    for kind, content_type in CONTENT_TYPES.items():
        uri = exported["exported"][kind]
        if not uri.startswith(folder):
            problems.append(f"{uri} is not the month's: {folder}")
        elif problem := _object_problem(storage, uri, content_type):
            problems.append(problem)
    return "; ".join(problems)


def _object_problem(storage: Storage, uri: str, content_type: str) -> str:
    key = uri.removeprefix(storage.uri(""))
    try:
        head = storage.client.head_object(Bucket=storage.bucket, Key=key)
    except ClientError as error:
        return f"{uri}: {error.response['Error']['Message']}"
    if not head["ContentLength"]:
        return f"{uri} is empty"
    if not head["ContentType"].startswith(content_type):
        return f"{uri} is {head['ContentType']}, not {content_type}"
    return ""
