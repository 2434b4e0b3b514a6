from pathlib import Path

from taxi_duration.pipeline import drift
from taxi_duration.pipeline.blocks import block_settings


@transformer
def drift_report(scored, *args, **kwargs):
    """Compare the current month with the reference: drift, data quality, error."""
    return drift.drift_report(block_settings(scored), scored)


@test
def the_report_was_written(reported, *args):
    for kind, path in reported["report"].items():
        assert Path(path).stat().st_size > 0, f"the {kind} report is empty"
