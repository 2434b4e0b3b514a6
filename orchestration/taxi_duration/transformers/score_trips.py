from taxi_duration.pipeline import drift
from taxi_duration.pipeline.blocks import block_settings


@transformer
def score_trips(cleaned, *args, **kwargs):
    """Predict the month with the version that it judges, and the months that this one learned."""
    return drift.score_trips(block_settings(cleaned), cleaned)


@test
def both_sides_were_scored_by_what_had_not_learned_the_month(scored, *args):
    assert set(scored["scored"]) == {"reference", "current"}, scored["scored"]
    assert scored["model_version"], "nothing scored"
    assert scored["month"] not in scored["reference_months"], scored["reference_months"]
