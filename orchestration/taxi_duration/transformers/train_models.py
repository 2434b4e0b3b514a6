from taxi_duration.pipeline import training
from taxi_duration.pipeline.blocks import block_settings


@transformer
def train_models(built, *args, **kwargs):
    """Fit every candidate on the same trips; each is a nested run in MLflow."""
    return training.train_models(block_settings(built), built)


@test
def every_candidate_has_a_run_of_its_own(trained, *args):
    runs = list(trained["candidates"].values())
    assert len(runs) > 1, f"nothing to compare: {trained['candidates']}"
    assert len({trained["run_id"], *runs}) == len(runs) + 1, f"runs are shared: {runs}"
