"""The dashboard *Service*: what it is asked, how fast it answers, and with which model."""

from typing import Final

from taxi_duration.monitoring.grafana.parts import (
    BY_HOUR,
    Json,
    dashboard,
    lines,
    prom,
    series,
    stat,
    steps,
)
from taxi_duration.monitoring.live_window import PAGE_PICTURES

# Trips per request differ by 10,000, so the time of an answer is told for all together.
_PREDICT: Final = 'endpoint="/predict"'
_RATE: Final = "$__rate_interval"

# Of predictions alone: Prometheus' own requests and health checks succeed, and would hide failures.
# Without predictions there is no share.
ERRORS: Final = (
    f'(sum(rate(taxi_requests_total{{{_PREDICT}, status=~"5.."}}[RANGE])) or vector(0))'
    f" / (sum(rate(taxi_requests_total{{{_PREDICT}}}[RANGE])) > 0)"
)
SLOWEST: Final = (
    "histogram_quantile(QUANTILE, sum by (le)"
    f" (rate(taxi_request_seconds_bucket{{{_PREDICT}}}[RANGE])))"
)
SPOOLED: Final = "sum(taxi_prediction_log_spooled_bytes)"

# The trips that somebody wants to take: the service's page asks for its pictures besides.
_ASKED: Final = f"""
FROM monitoring.predictions
WHERE role = 'champion' AND $__timeFilter(predicted_at)
    AND coalesce(trip_id, '') NOT IN {PAGE_PICTURES}
GROUP BY 1
ORDER BY 1
""".strip()

_INTERVALS: Final = f"""
SELECT
    date_trunc('hour', predicted_at) AS time,
    avg(lower) AS lower,
    avg(prediction) AS prediction,
    avg(upper) AS upper
{_ASKED}
"""

_MISSING: Final = f"""
SELECT
    date_trunc('hour', predicted_at) AS time,
    avg((pickup_community_area IS NULL)::integer) AS "without pickup",
    avg((dropoff_community_area IS NULL)::integer) AS "without dropoff"
{_ASKED}
"""

_VERSIONS: Final = """
SELECT
    date_trunc('hour', predicted_at) AS time,
    role || ' ' || model_version AS metric,
    count(*)::double precision AS predictions
FROM monitoring.predictions
WHERE $__timeFilter(predicted_at)
GROUP BY 1, 2
ORDER BY 1, 2
"""


def service() -> Json:
    """Rate, latency, errors, models and the log of predictions."""
    return dashboard(
        "Service",
        "What the service is asked, how fast it answers, and with which model.",
        [*_now(), *_requests(), *_predictions(), *_behind()],
        since="now-6h",
        refresh="30s",
        timezone="browser",
    )


def within(query: str, window: str) -> str:
    """The query over a window such as `5m`."""
    return query.replace("RANGE", window)


def _now() -> list[Json]:
    up = steps((1, "green"), base="red")
    return [
        stat(
            "Model",
            "Version of the model that answers.",
            prom("max by (version) (taxi_model_info)", "version {{version}}"),
            colors=up,
        )
        | {"options": _named()},
        stat(
            "Requests now",
            "A second.",
            prom(f"sum(rate(taxi_requests_total[{_RATE}]))", "requests"),
            "reqps",
        ),
        stat(
            "Errors now",
            "Share of the requests for predictions that were answered with 500 or more.",
            prom(within(ERRORS, _RATE), "errors"),
            "percentunit",
            colors=steps((0.01, "red")),
        ),
        stat(
            "Slowest 5%",
            "Time within which 95% of the predictions are answered.",
            prom(_slowest(0.95), "p95"),
            "s",
            colors=steps((0.25, "red")),
        ),
        stat(
            "Waiting for Postgres now",
            "Predictions on the service's disk.",
            prom(SPOOLED, "bytes"),
            "bytes",
            colors=steps((1_000_000, "red")),
        ),
        stat(
            "Registry",
            "1: MLflow answers the service.",
            prom("min(taxi_registry_up)", "registry"),
            colors=up,
        ),
    ]


def _requests() -> list[Json]:
    return [
        lines(
            "Requests",
            "A second, by the status of the answer.",
            prom(f"sum by (status) (rate(taxi_requests_total[{_RATE}]))", "{{status}}"),
            "reqps",
            stacked=True,
            least=0,
        ),
        lines(
            "Time of an answer",
            "Of predictions; a list of 10,000 trips counts as one request.",
            [prom(_slowest(share), f"p{share * 100:g}") for share in (0.5, 0.95, 0.99)],
            "s",
            least=0,
        ),
        lines(
            "Errors",
            "Share of the requests for predictions that were answered with 500 or more.",
            prom(within(ERRORS, _RATE), "errors"),
            "percentunit",
            least=0,
        ),
        lines(
            "Refused for a limit",
            "Requests a second that were too large, too slow or too many.",
            prom(f"sum by (limit) (rate(taxi_rejected_requests_total[{_RATE}]))", "{{limit}}"),
            "reqps",
            least=0,
        ),
    ]


def _predictions() -> list[Json]:
    minutes = (
        "histogram_quantile(QUANTILE, sum by (le) (rate(taxi_predicted_minutes_bucket[RANGE])))"
    )
    return [
        lines(
            "Predicted trips",
            "A second, by the version of the model.",
            prom(
                f"sum by (model_version) (rate(taxi_predictions_total[{_RATE}]))",
                "version {{model_version}}",
            ),
            "short",
            least=0,
        ),
        lines(
            "Predicted durations",
            "Quantiles of the predictions.",
            [
                prom(within(minutes, _RATE).replace("QUANTILE", str(share)), f"{share:.0%}")
                for share in (0.1, 0.5, 0.9)
            ],
            "m",
            least=0,
        ),
        lines(
            "Predictions and intervals by hour",
            "Means of what was answered, from the log, but for the pictures of the service's page.",
            series(_INTERVALS),
            "m",
            width=8,
            step=BY_HOUR,
            least=0,
        ),
        lines(
            "Unknown areas by hour",
            "Share of the trips that were asked for, but for the pictures of the service's page.",
            series(_MISSING),
            "percentunit",
            width=8,
            step=BY_HOUR,
            least=0,
        ),
        lines(
            "Who answered by hour",
            "Trips in the log; a challenger answers in shadow.",
            series(_VERSIONS),
            "short",
            width=8,
            bars=True,
            stacked=True,
            step=BY_HOUR,
            least=0,
        ),
    ]


def _behind() -> list[Json]:
    return [
        lines(
            "Models",
            "Versions that answer, and that answer in shadow; two while they change.",
            [
                prom("count by (version) (taxi_model_info)", "champion {{version}}"),
                prom("count by (version) (taxi_challenger_info)", "challenger {{version}}"),
            ],
            least=0,
        ),
        lines(
            "Changes of model",
            "In each worker process: models that began to answer, or failed their check.",
            [
                prom("sum by (role) (taxi_model_reloads_total)", "began: {{role}}"),
                prom("sum(taxi_model_refusals_total) or vector(0)", "refused"),
            ],
            least=0,
        ),
        lines(
            "Waiting for Postgres",
            "Predictions on the service's disk.",
            prom(SPOOLED, "waiting"),
            "bytes",
            least=0,
        ),
        lines(
            "The log of predictions",
            "Predictions a second that reached Postgres, or were given up.",
            [
                prom(f"sum(rate(taxi_prediction_log_written_total[{_RATE}]))", "written"),
                prom(f"sum(rate(taxi_prediction_log_dropped_total[{_RATE}]))", "given up"),
            ],
            "short",
            least=0,
        ),
        lines(
            "What the service depends on",
            "1: it answers; Postgres only where the log is on.",
            [
                prom("min(taxi_registry_up)", "MLflow"),
                prom("min(taxi_prediction_log_database_up)", "Postgres"),
            ],
            least=0,
            width=24,
            height=6,
        ),
    ]


def _slowest(share: float) -> str:
    return within(SLOWEST, _RATE).replace("QUANTILE", str(share))


def _named() -> Json:
    """The options of a panel that shows the name of its series."""
    shown: Json = stat("", "", prom("", ""))["options"]
    return {**shown, "textMode": "name"}
