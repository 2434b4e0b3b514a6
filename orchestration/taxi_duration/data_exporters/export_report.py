from taxi_duration.pipeline import drift
from taxi_duration.pipeline.blocks import block_settings
from taxi_duration.pipeline.exported import report_problems


@data_exporter
def export_report(reported, *args, **kwargs):
    """Store the report, HTML and JSON, in S3 and in MLflow."""
    return drift.export_report(block_settings(reported), reported)


@test
def the_report_of_the_month_is_in_s3(exported, *args):
    problems = report_problems(block_settings(exported), exported)
    assert not problems, problems
