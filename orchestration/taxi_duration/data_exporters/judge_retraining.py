from taxi_duration.pipeline import loop
from taxi_duration.pipeline.blocks import block_settings


@data_exporter
def judge_retraining(recorded, *args, **kwargs):
    """Raise the month's alarms; decide from it and the months before whether to train again."""
    run_id = str(kwargs["pipeline_run_id"])
    return loop.judge_retraining(block_settings(recorded), recorded, run_id)


@test
def the_decision_has_a_reason(decided, *args):
    assert decided["retrain"]["reason"], decided["retrain"]


@test
def what_is_wanted_is_written_down(decided, *args):
    assert decided["retrain"]["number"] or not decided["retrain"]["wanted"], decided["retrain"]
