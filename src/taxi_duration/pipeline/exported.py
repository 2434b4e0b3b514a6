"""Whether a run left its report in S3."""

from typing import Any, Final

import msgspec

from taxi_duration.monitoring.live_window import Window
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

CONTENT_TYPES: Final = {"html": "text/html", "json": "application/json"}


def report_problems(settings: Settings, exported: dict[str, Any]) -> str:
    """What is wrong with the month's drift report in S3, or the window's; empty: nothing.

    Raises StorageError where S3 cannot be asked.
    """
    if not (exported.get("figures") or {}).get("drift", True):
        # In a window in which too little was asked nothing is compared.
        return ""
    storage = Storage.from_settings(settings)
    folder = storage.uri(_place(exported))
    problems = []
    for kind, content_type in CONTENT_TYPES.items():
        uri = exported["exported"][kind]
        if not uri.startswith(folder):
            problems.append(f"{uri} does not lie in {folder}")
        elif problem := _object_problem(storage, uri, content_type):
            problems.append(problem)
    return "; ".join(problems)


def _place(exported: dict[str, Any]) -> str:
    if "window" in exported:
        return f"reports/live/{msgspec.convert(exported['window'], Window).name}/"
    return f"reports/drift/{exported['source']}/{exported['month']}/"


def _object_problem(storage: Storage, uri: str, content_type: str) -> str:
    head = storage.head(storage.key(uri))
    if head is None:
        return f"{uri} is not there"
    if not head["ContentLength"]:
        return f"{uri} is empty"
    if not head["ContentType"].startswith(content_type):
        return f"{uri} is {head['ContentType']}, not {content_type}"
    return ""
