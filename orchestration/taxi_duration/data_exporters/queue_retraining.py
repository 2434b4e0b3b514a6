from taxi_duration.pipeline import loop
from taxi_duration.pipeline.blocks import block_settings


@data_exporter
def queue_retraining(decided, *args, **kwargs):
    """Queue a run that trains on the month that drifted as well; the gate stays in between."""
    from mage_ai.orchestration.db.models.schedules import PipelineRun
    from mage_ai.orchestration.triggers.api import trigger_pipeline

    later = PipelineRun.query.filter(
        PipelineRun.pipeline_uuid == loop.PIPELINE, PipelineRun.id > kwargs["pipeline_run_id"]
    )
    return loop.queue_retraining(block_settings(decided), decided, trigger_pipeline, later)


@test
def a_run_was_queued(queued, *args):
    assert queued["retraining_run"], "Mage gave the run no number"
