"""How a month is judged: its error beside the one that is expected of the model."""

from typing import Final

from taxi_duration.settings import Settings

# How many times the error that is expected of it a month may have.
ERROR_RATIO: Final = float(Settings.model_fields["retrain_error_ratio"].default)

# The version that a month's report judged, on the month's trips and on those it was trained on,
# with how long these trips took. Other versions may have rows of the month too.
JUDGED: Final = """
FROM monitoring.drift_months AS report
JOIN monitoring.performance AS month
    ON (month.source, month.month, month.model_version, month.dataset)
        = (report.source, report.month, report.model_version, 'current')
JOIN monitoring.performance AS learned
    ON (learned.source, learned.month, learned.model_version, learned.dataset)
        = (report.source, report.month, report.model_version, 'reference')
JOIN monitoring.data_quality AS took
    ON (took.source, took.month, took.column_name, took.dataset)
        = (report.source, report.month, 'trip_minutes', 'current')
JOIN monitoring.data_quality AS took_before
    ON (took_before.source, took_before.month, took_before.column_name, took_before.dataset)
        = (report.source, report.month, 'trip_minutes', 'reference')
""".strip()
# Longer trips have larger errors: what was learned is stretched to the month's mean duration.
EXPECTED: Final = "(learned.mae * took.mean / nullif(took_before.mean, 0))"
