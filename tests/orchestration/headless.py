"""Runs the pipeline once as Mage's scheduler does, but without a server.

Started by the tests with the Python of Mage's environment: `headless.py VARIABLES PIPELINE`. The
last line that it prints is a JSON object: the run's status; by block, the status and what it handed
on; and the triggers that the scheduler would start now.
"""

# mypy: ignore-errors
# Mage is not in the environment that is checked.

import json
import sys
from pathlib import Path
from typing import Any

ORCHESTRATION = Path(__file__).resolve().parents[2] / "orchestration"
sys.path.insert(0, str(ORCHESTRATION))

import serve  # noqa: E402
from mage_ai.settings.repo import set_repo_path  # noqa: E402

set_repo_path(str(ORCHESTRATION / "taxi_duration"))

from mage_ai.data_preparation.models.pipeline import Pipeline  # noqa: E402
from mage_ai.orchestration.db import db_connection  # noqa: E402
from mage_ai.orchestration.db.database_manager import database_manager  # noqa: E402
from mage_ai.orchestration.db.models.schedules import PipelineRun, PipelineSchedule  # noqa: E402
from mage_ai.orchestration.pipeline_scheduler import PipelineScheduler  # noqa: E402
from mage_ai.orchestration.pipeline_scheduler_original import run_pipeline  # noqa: E402
from mage_ai.orchestration.triggers.utils import create_and_start_pipeline_run  # noqa: E402


def main(variables: dict[str, Any], name: str) -> dict[str, Any]:
    """Create a run of the API trigger, execute it and say how it ended."""
    database_manager.run_migrations()
    serve.set_up_triggers()
    pipeline = Pipeline.get(name)
    trigger = PipelineSchedule.repo_query.filter(
        PipelineSchedule.name == "api", PipelineSchedule.pipeline_uuid == name
    ).one()
    run = create_and_start_pipeline_run(pipeline, trigger, {"variables": variables})
    PipelineScheduler(run).start(should_schedule=False)
    try:
        run_pipeline(run.id, run.get_variables(), {})
    except Exception as error:
        # In a server this ends the process of the run; how the run ended is seen below.
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    db_connection.session.expire_all()
    PipelineScheduler(run).schedule()
    return ending(pipeline, PipelineRun.get(run.id))


def ending(pipeline: Pipeline, run: PipelineRun) -> dict[str, Any]:
    blocks = {}
    for block_run in run.block_runs:
        outputs = pipeline.get_block(block_run.block_uuid).get_raw_outputs(
            block_run.block_uuid, execution_partition=run.execution_partition
        )
        blocks[block_run.block_uuid] = {
            "status": block_run.status.value,
            "seconds": (
                (block_run.completed_at - block_run.started_at).total_seconds()
                if block_run.completed_at and block_run.started_at
                else None
            ),
            "output": outputs[0] if outputs else None,
        }
    return {
        "id": run.id,
        "status": run.status.value,
        "blocks": blocks,
        "due": [each.name for each in PipelineSchedule.repo_query if each.should_schedule()],
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]), sys.argv[2]), default=str), flush=True)
