from taxi_duration.pipeline import training
from taxi_duration.pipeline.blocks import block_settings


@transformer
def evaluate_models(trained, *args, **kwargs):
    """Compare the candidates on the same later trips."""
    return training.evaluate_models(block_settings(trained), trained)


@test
def every_candidate_was_evaluated(evaluated, *args):
    assert set(evaluated["metrics"]) >= set(evaluated["candidates"]), evaluated["metrics"]
    assert evaluated["best"] in evaluated["candidates"], evaluated["best"]


@test
def errors_are_possible_minutes(evaluated, *args):
    longest = block_settings(evaluated).max_minutes
    for name, metrics in evaluated["metrics"].items():
        assert 0 < metrics["mae"] <= metrics["rmse"] <= longest, f"{name}: {metrics}"
