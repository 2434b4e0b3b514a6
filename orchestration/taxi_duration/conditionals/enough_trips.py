from taxi_duration.pipeline import checks
from taxi_duration.pipeline.blocks import block_settings


@condition
def enough_trips(cleaned, *args, **kwargs):
    """Train only where the months of history have enough trips."""
    return checks.enough_trips(block_settings(cleaned), cleaned)
