"""Whether a run left its drift report in S3."""

from typing import Any, Final

from botocore.exceptions import ClientError

from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

CONTENT_TYPES: Final = {"html": "text/html", "json": "application/json"}


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
