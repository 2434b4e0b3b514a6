from taxi_duration.pipeline import drift
from taxi_duration.pipeline.blocks import block_settings


@transformer
def score_trips(cleaned, *args, **kwargs):
    """Predict the reference and the current month with the model that served at the start."""
    return drift.score_trips(block_settings(cleaned), cleaned)


@test
def both_sides_were_scored_by_what_served_at_the_start(scored, *args):
    assert set(scored["scored"]) == {"reference", "current"}, scored["scored"]
    assert scored["model_version"] in (scored["champion"], "floor"), scored["model_version"]
