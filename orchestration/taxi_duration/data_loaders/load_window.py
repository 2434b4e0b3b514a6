from taxi_duration.pipeline import live
from taxi_duration.pipeline.blocks import block_settings


@data_loader
def load_window(*args, **kwargs):
    """Count what the service was asked in the last hours, and take a sample of it."""
    settings = block_settings()
    return live.load_window(settings, live.LiveVariables.from_mage(settings, kwargs))


@test
def each_request_brought_a_prediction_or_more(loaded, *args):
    asked = loaded["asked"]
    assert 0 <= asked["answered_requests"] <= asked["predictions"], asked
