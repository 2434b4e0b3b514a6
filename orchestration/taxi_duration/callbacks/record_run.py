from taxi_duration.pipeline import ending
from taxi_duration.pipeline.blocks import block_settings


@callback("success")
def record_success(output, **kwargs):
    """Record that the run completed, after its last block."""
    settings = block_settings(kwargs)
    if ending.is_over(settings, kwargs["pipeline_run"]):
        ending.record_ending(settings, "completed", {**kwargs, **output})


@callback("failure")
def record_failure(*args, **kwargs):
    """Record that the run failed, in which block and why."""
    ending.record_ending(block_settings(kwargs), "failed", kwargs)


@callback("cancelled")
def record_cancellation(*args, **kwargs):
    """Record that a person stopped the run."""
    ending.record_ending(block_settings(kwargs), "cancelled", kwargs)
