"""Tries the block that queues a retraining twice, the first time killed before it notes the run.

Started by the tests with the Python of Mage's environment: `killed_retraining.py DECIDED`. Prints
a JSON object: the number of the run that the block told in the end, and those that Mage has since.
"""

# mypy: ignore-errors
# Mage is not in the environment that is checked.

import json
import runpy
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

ORCHESTRATION = Path(__file__).resolve().parents[2] / "orchestration"
sys.path.insert(0, str(ORCHESTRATION))

import serve  # noqa: E402
from mage_ai.settings.repo import set_repo_path  # noqa: E402

PROJECT = ORCHESTRATION / "taxi_duration"
set_repo_path(str(PROJECT))

from mage_ai.orchestration.db.database_manager import database_manager  # noqa: E402
from mage_ai.orchestration.db.models.schedules import PipelineRun  # noqa: E402
from mage_ai.orchestration.triggers.api import trigger_pipeline  # noqa: E402

from taxi_duration.monitoring import retrainings  # noqa: E402


def main(decided: dict[str, Any]) -> dict[str, Any]:
    """Let a run that has the retraining's number be there before the one that decides."""
    database_manager.run_migrations()
    serve.set_up_triggers()
    variables = {"retraining": decided["retrain"]["number"]}
    trigger_pipeline("taxi_duration", variables=variables, schedule_name="api")
    deciding = trigger_pipeline("taxi_duration", schedule_name="api").id
    block = runpy.run_path(
        str(PROJECT / "data_exporters" / "queue_retraining.py"),
        init_globals={"data_exporter": lambda each: each, "test": lambda each: each},
    )["queue_retraining"]
    note, retrainings.started = retrainings.started, killed
    with suppress(KeyboardInterrupt):
        block(decided, pipeline_run_id=deciding)
    retrainings.started = note
    told = block(decided, pipeline_run_id=deciding)["retraining_run"]
    return {"told": told, "later": [run.id for run in PipelineRun.query if run.id > deciding]}


def killed(*_: object) -> None:
    """Where the process ends."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))), flush=True)
