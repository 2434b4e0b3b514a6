"""Panels of the loop: when the model was to be trained again, and who was told of what."""

from typing import Final

from taxi_duration.monitoring.grafana.parts import Json, sql, table

_RETRAININGS: Final = """
SELECT
    requested_at AS decided, source, to_char(month, 'YYYY-MM') AS month, status, reason,
    pipeline_run_id AS run, CASE WHEN drill THEN 'drill' ELSE 'real' END AS kind
FROM monitoring.retrainings
ORDER BY id DESC
LIMIT 50
"""

_ALARMS: Final = """
SELECT
    raised_at AS raised, kind, subject, message,
    coalesce(nullif(array_to_string(sent_to, ', '), ''), 'nobody') AS told,
    problem, CASE WHEN drill THEN 'drill' ELSE 'real' END AS cause
FROM monitoring.alarms
ORDER BY id DESC
LIMIT 100
"""

# Real alarms of the last day that a way refused to take.
UNSENT: Final = """
SELECT count(*)::double precision AS alarms
FROM monitoring.alarms
WHERE problem IS NOT NULL AND NOT drill AND raised_at > now() - interval '1 day'
"""


def of_pipelines() -> list[Json]:
    """For *Pipelines*: retrainings and alarms."""
    return [
        table("Retrainings", "Each decision to train again because of drift or error, or not to.",
              sql(_RETRAININGS)),
        table("Alarms", "What a person was told of, and by which way.", sql(_ALARMS)),
    ]  # fmt: skip
