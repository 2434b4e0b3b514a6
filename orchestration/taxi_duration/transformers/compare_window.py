from taxi_duration.pipeline import live
from taxi_duration.pipeline.blocks import block_settings


@transformer
def compare_window(loaded, *args, **kwargs):
    """Compare what was asked with the trips that the model was trained on, of the same hours."""
    return live.compare_window(block_settings(loaded), loaded)


@test
def there_is_a_report_where_columns_were_compared(compared, *args):
    assert bool(compared["report"]) == bool(compared["figures"]["drift"]), compared["figures"]
