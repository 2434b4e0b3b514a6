"""Decisions of the gate as artifacts of their pipeline run: JSON, and a page beside it."""

import tempfile
from pathlib import Path
from typing import Final

import msgspec
from mlflow.artifacts import download_artifacts

from taxi_duration.errors import UNREADABLE, RegistryError
from taxi_duration.registry.client import prepare, registry_errors
from taxi_duration.registry.decision_page import page
from taxi_duration.registry.gate import GateDecision
from taxi_duration.registry.runs import Runs
from taxi_duration.settings import Settings

FOLDER: Final = "gate"
JSON: Final = "decision.json"
HTML: Final = "decision.html"


def publish(settings: Settings, runs: Runs, decision: GateDecision) -> str:
    """Log the decision in its pipeline run, in the place of an earlier one of that run.

    Returns the page's address in the MLflow UI.
    """
    run_id = decision.candidate.parent_run_id
    content = msgspec.json.format(msgspec.json.encode(decision), indent=2)
    with registry_errors(settings):
        runs.client.log_text(run_id, content.decode(), f"{FOLDER}/{JSON}")
        runs.client.log_text(run_id, page(decision), f"{FOLDER}/{HTML}")
    return page_url(settings, runs.experiment_id, run_id)


def page_url(settings: Settings, experiment_id: str, run_id: str) -> str:
    """Where the MLflow UI shows a run's decision."""
    place = f"experiments/{experiment_id}/runs/{run_id}/artifacts/{FOLDER}/{HTML}"
    return f"{settings.mlflow_pages}/#/{place}"


def read(settings: Settings, run_id: str) -> GateDecision:
    """The decision of a pipeline run. Raises RegistryError where it has none."""
    prepare(settings)
    with registry_errors(settings), tempfile.TemporaryDirectory() as temporary:
        path = download_artifacts(
            run_id=run_id,
            artifact_path=f"{FOLDER}/{JSON}",
            dst_path=temporary,
            tracking_uri=settings.mlflow_url,
        )
        content = Path(path).read_bytes()
    try:
        return msgspec.json.decode(content, type=GateDecision)
    except UNREADABLE as error:
        raise RegistryError(
            f"The decision of the run {run_id} cannot be read: {error}.",
            "Run the gate again with this version of the project.",
        ) from error
