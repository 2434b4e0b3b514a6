"""`mage start`, with the pipelines' triggers set up in Mage's database first.

The API trigger takes its token from the setting, because a token in `triggers.yaml`
would be a secret in the repository. A schedule that this database does not know yet waits for its
next date, because Mage would start it at once for the date that has passed. And a run that Mage's
queue leaves waiting is started, and none is queued twice.
"""

# ruff: noqa: PLC0415  Mage connects to its database on import, for which it must know its project.

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mage_ai.settings.repo import set_repo_path

from taxi_duration.settings import load_settings

if TYPE_CHECKING:
    from mage_ai.orchestration.db.models.schedules import PipelineSchedule

PIPELINES = ("taxi_duration", "live_monitoring")


def set_up_triggers() -> None:
    """Create or update what `triggers.yaml` holds, as Mage's scheduler does, and the token."""
    from mage_ai.data_preparation.models.triggers import ScheduleType, get_triggers_by_pipeline
    from mage_ai.orchestration.db import db_connection
    from mage_ai.orchestration.db.models.schedules import PipelineSchedule

    db_connection.start_session()
    known = {(each.pipeline_uuid, each.name) for each in PipelineSchedule.repo_query.all()}
    triggers = [trigger for name in PIPELINES for trigger in get_triggers_by_pipeline(name)]
    if token := load_settings().mage_trigger_token:
        secret = token.get_secret_value()
        triggers = [
            replace(trigger, token=secret) if trigger.schedule_type == ScheduleType.API else trigger
            for trigger in triggers
        ]
    PipelineSchedule.create_or_update_batch(triggers)
    ours = PipelineSchedule.repo_query.filter(PipelineSchedule.pipeline_uuid.in_(PIPELINES))
    for schedule in ours:
        new = (schedule.pipeline_uuid, schedule.name) not in known
        if schedule.schedule_type == ScheduleType.TIME and new:
            skip_present_date(schedule)


def skip_present_date(schedule: "PipelineSchedule") -> None:
    """Leave a cancelled run for the date that has passed, with its reason in the log."""
    from mage_ai.data_preparation.models.pipeline import Pipeline
    from mage_ai.orchestration.triggers.utils import create_and_cancel_pipeline_run

    create_and_cancel_pipeline_run(
        Pipeline.get(schedule.pipeline_uuid),
        schedule,
        {"execution_date": schedule.current_execution_date()},
        message="This date had passed when the schedule was made.",
    )


def start_waiting_jobs() -> None:
    """Have each look of the scheduler at its queue start a process for jobs that wait without one.

    Mage's pool of processes ends where it finds the queue empty, and so it does before a job comes
    through that was put there a moment ago. That run would wait until another one is started.
    """
    from mage_ai.orchestration.queue.process_queue import ProcessQueue

    clean_up_jobs = ProcessQueue.clean_up_jobs

    def clean_up_and_start(jobs: ProcessQueue) -> None:
        clean_up_jobs(jobs)
        if not jobs.queue.empty() and not jobs.is_worker_pool_alive():
            jobs.start_worker_pool()

    ProcessQueue.clean_up_jobs = clean_up_and_start


def keep_taken_jobs() -> None:
    """Have the queue know a job that a process has just taken from it, and not yet begun.

    Mage takes it for lost, forgets it, which ends that process, and queues the run once more.
    """
    from mage_ai.orchestration.queue.process_queue import JobStatus, ProcessQueue

    has_job = ProcessQueue.has_job

    def has_or_begins_job(jobs: ProcessQueue, job_id: str, *more: object, **named: object) -> bool:
        begins = jobs.job_dict.get(job_id) == JobStatus.QUEUED and jobs.is_worker_pool_alive()
        return bool(begins or has_job(jobs, job_id, *more, **named))

    ProcessQueue.has_job = has_or_begins_job


def main() -> None:
    """Migrate the database, set up triggers and queue, start the server and its scheduler."""
    set_repo_path(str(Path(sys.argv[1]).resolve()))
    from mage_ai.cli.main import app
    from mage_ai.orchestration.db.database_manager import database_manager

    database_manager.run_migrations()
    set_up_triggers()
    start_waiting_jobs()
    keep_taken_jobs()
    app(["start", *sys.argv[1:]])


if __name__ == "__main__":
    main()
