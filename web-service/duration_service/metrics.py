"""The service's metrics, for Prometheus; each is set from a thread beside the requests.

gunicorn's workers share them through files in PROMETHEUS_MULTIPROC_DIR, which has to be set before
this module is imported: web-service/gunicorn.conf.py does it.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from duration_service.observations import Answered, Handled

# From one trip on a quiet machine (a few milliseconds) to the limit of a request.
LATENCIES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
DURATIONS: Final = (2, 4, 6, 8, 10, 12.5, 15, 20, 25, 30, 40, 50, 60)

REQUESTS: Final = Counter(
    "taxi_requests", "Requests, by what they were answered with", ["endpoint", "method", "status"]
)
REQUEST_SECONDS: Final = Histogram(
    "taxi_request_seconds", "Time that requests took", ["endpoint"], buckets=LATENCIES
)
PREDICTIONS: Final = Counter("taxi_predictions", "Trips that were predicted", ["model_version"])
PREDICTED_MINUTES: Final = Histogram(
    "taxi_predicted_minutes", "Durations that were predicted", buckets=DURATIONS
)
MODEL: Final = Gauge(
    "taxi_model_info",
    "1 for the model that answers",
    ["version", "run_id", "source"],
    multiprocess_mode="livemax",
)
RELOADS: Final = Counter("taxi_model_reloads", "Models that began to answer")
REFUSALS: Final = Counter("taxi_model_refusals", "Champions that failed their check")
REGISTRY_UP: Final = Gauge(
    "taxi_registry_up", "1 while the registry answers", multiprocess_mode="livemin"
)
REJECTED: Final = Counter("taxi_rejected_requests", "Requests beyond a limit", ["limit"])
LOG_WRITTEN: Final = Counter("taxi_prediction_log_written", "Predictions that reached Postgres")
LOG_DROPPED: Final = Counter(
    "taxi_prediction_log_dropped", "Predictions that were given up: no room on disk, or refused"
)
LOG_SPOOLED_BYTES: Final = Gauge(
    "taxi_prediction_log_spooled_bytes",
    "Predictions on disk that Postgres has not yet got",
    # One process of the machine knows, the others say nothing.
    multiprocess_mode="livemostrecent",
)
LOG_DATABASE_UP: Final = Gauge(
    "taxi_prediction_log_database_up",
    "1 while Postgres takes predictions",
    multiprocess_mode="livemostrecent",
)


class RequestMetrics:
    """The observer that counts requests and predictions."""

    def observe(self, answered: list[Answered], handled: list[Handled]) -> None:
        """Count what happened since the last call."""
        for request in handled:
            REQUESTS.labels(request.endpoint, request.method, request.status).inc()
            REQUEST_SECONDS.labels(request.endpoint).observe(request.seconds)
        for answer in answered:
            PREDICTIONS.labels(answer.served.champion.version).inc(len(answer.minutes))
            for minutes in answer.minutes[:, 1].tolist():
                PREDICTED_MINUTES.observe(minutes)
