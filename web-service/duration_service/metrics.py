"""The service's metrics, for Prometheus; each is set from a thread beside the requests.

gunicorn's workers share them through files in PROMETHEUS_MULTIPROC_DIR, which has to be set before
this module is imported: web-service/gunicorn.conf.py does it.
"""

import os
from collections import Counter as Counted
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np
from flask import Blueprint, Response
from numpy.typing import NDArray
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from duration_service.observations import Answered, Handled
from taxi_duration.model.features import Floats

SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"

# From one trip on a quiet machine (a few milliseconds) to the limit of a request.
LATENCIES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
DURATIONS: Final = (2, 4, 6, 8, 10, 12.5, 15, 20, 25, 30, 40, 50, 60)
# Callers may invent methods; a metric for each would grow without end.
METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# What an answer with this status says that a request had too much of.
LIMITS: Final = {408: "time", 413: "size", 414: "head", 429: "rate", 431: "head"}


class ManyHistogram(Histogram):
    """A histogram that takes many values at once: one by one, 10,000 take a tenth of a second."""

    def observe_many(self, values: NDArray[np.float64]) -> None:
        """Count every value; the same as observing each, to the last digits of the sum."""
        counts = np.bincount(np.searchsorted(self._upper_bounds, values), minlength=1)
        self._sum.inc(float(values.sum()))
        for bucket, count in zip(self._buckets, counts.tolist(), strict=False):
            if count:
                bucket.inc(count)


REQUESTS: Final = Counter(
    "taxi_requests", "Requests, by what they were answered with", ["endpoint", "method", "status"]
)
REQUEST_SECONDS: Final = ManyHistogram(
    "taxi_request_seconds", "Time that requests took", ["endpoint"], buckets=LATENCIES
)
PREDICTIONS: Final = Counter("taxi_predictions", "Trips that were predicted", ["model_version"])
PREDICTED_MINUTES: Final = ManyHistogram(
    "taxi_predicted_minutes", "Durations that were predicted", buckets=DURATIONS
)
MODEL: Final = Gauge(
    "taxi_model_info",
    "1 for the model that answers",
    ["version", "run_id", "source"],
    multiprocess_mode="livemax",
)
CHALLENGER: Final = Gauge(
    "taxi_challenger_info",
    "1 for the model that answers in shadow",
    ["version", "run_id"],
    multiprocess_mode="livemax",
)
SHADOW_LEFT_OUT: Final = Counter(
    "taxi_shadow_left_out", "Trips that the challenger left out: too many waited, or it failed"
)
_OF_MODELS: Final = ("taxi_model_info", "taxi_challenger_info")
RELOADS: Final = Counter(
    "taxi_model_reloads", "Models that began to answer in a worker process", ["role"]
)
REFUSALS: Final = Counter(
    "taxi_model_refusals", "Models that a worker process could not use", ["role"]
)
# From the start: an increase is measured from a value, so the first one would be missed without.
for _role in ("champion", "challenger"):
    REFUSALS.labels(_role)
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

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """All metrics, of all processes together, in Prometheus' text form."""
    registry = REGISTRY
    if SHARED in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(Present(registry)), content_type=CONTENT_TYPE_LATEST)


class Present:
    """What a registry of metrics has, without the models that answer no longer.

    gunicorn's workers cannot take back what they have shared; they set it to 0.
    """

    def __init__(self, registry: Collector) -> None:
        self.registry = registry

    def collect(self) -> Iterator[Metric]:
        """The metrics, one after the other."""
        for metric in self.registry.collect():
            if metric.name in _OF_MODELS:
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric


class RequestMetrics:
    """The observer that counts requests and predictions."""

    def observe(self, answered: list[Answered], handled: list[Handled]) -> None:
        """Count what happened since the last call: each metric is written once, however many."""
        seconds: defaultdict[str, list[float]] = defaultdict(list)
        for request in handled:
            seconds[request.endpoint].append(request.seconds)
        for endpoint, spent in seconds.items():
            REQUEST_SECONDS.labels(endpoint).observe_many(np.array(spent))
        for (endpoint, method, status), times in Counted(one[:3] for one in handled).items():
            known = method if method in METHODS else "other"
            REQUESTS.labels(endpoint, known, status).inc(times)
            if limit := LIMITS.get(status):
                REJECTED.labels(limit).inc(times)
        minutes: defaultdict[str, list[Floats]] = defaultdict(list)
        for answer in answered:
            minutes[answer.served.version.version].append(answer.minutes)
        for version, predicted in minutes.items():
            together = np.concatenate(predicted)[:, 1]
            PREDICTIONS.labels(version).inc(len(together))
            PREDICTED_MINUTES.observe_many(together)
