from taxi_duration.pipeline import truth
from taxi_duration.pipeline.blocks import block_settings


@data_exporter
def record_truth(cleaned, *args, **kwargs):
    """Judge who served in the month, and join logged predictions with what really happened."""
    return truth.record_truth(block_settings(cleaned), cleaned)


@test
def only_who_served_is_judged(recorded, *args):
    assert set(recorded["judged"]) <= set(recorded["served"]), recorded["judged"]
    assert recorded["outcomes"] >= 0, recorded["outcomes"]
