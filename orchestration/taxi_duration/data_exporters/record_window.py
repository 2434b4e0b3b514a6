from taxi_duration.pipeline import live
from taxi_duration.pipeline.blocks import block_settings


@data_exporter
def record_window(compared, *args, **kwargs):
    """Store the window's report in S3 and its figures in Postgres."""
    return live.record_window(block_settings(compared), compared)


@test
def the_window_was_recorded(recorded, *args):
    assert recorded["recorded"] == 1 + len(recorded["figures"]["drift"]), recorded["recorded"]


@test
def what_was_compared_has_its_page(recorded, *args):
    assert bool(recorded["exported"]["html"]) == bool(recorded["figures"]["drift"]), recorded
