from taxi_duration.pipeline import drift
from taxi_duration.pipeline.blocks import block_settings


@data_exporter
def record_drift(exported, *args, **kwargs):
    """Write the report's figures to Postgres, from where dashboards read them."""
    return drift.record_drift(block_settings(exported), exported)


@test
def figures_were_recorded(recorded, *args):
    assert recorded["recorded"] > 0, "no figure was recorded"
    assert 0 <= recorded["drifted_share"] <= 1, recorded["drifted_share"]
