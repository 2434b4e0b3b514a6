import numpy as np
import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from duration_service.metrics import DURATIONS, MODEL, ManyHistogram, Present, RequestMetrics
from duration_service.observations import Handled, Observations
from folder_registry import value


def test_requests_and_predictions_are_counted(
    client: FlaskClient, observations: Observations
) -> None:
    observations.observers = [RequestMetrics()]
    refused = {"endpoint": "/predict", "method": "POST", "status": "422"}
    before = value("taxi_predictions_total", model_version="3")
    refused_before = value("taxi_requests_total", **refused)
    client.post("/predict", json=[{}, {}, {}])
    client.post("/predict", json=[])
    observations.hand_on()
    assert value("taxi_predictions_total", model_version="3") == before + 3
    assert value("taxi_requests_total", **refused) == refused_before + 1


@pytest.mark.parametrize("role", ["champion", "challenger"])
def test_refusals_of_models_are_counted_from_0(role: str) -> None:
    assert REGISTRY.get_sample_value("taxi_model_refusals_total", {"role": role}) is not None


def test_only_the_model_that_answers_now_is_shown() -> None:
    MODEL.labels("41", "run-41", "city").set(0)
    MODEL.labels("42", "run-42", "city").set(1)
    text = generate_latest(Present(REGISTRY)).decode()
    assert 'taxi_model_info{run_id="run-42",source="city",version="42"} 1.0' in text
    assert "run-41" not in text
    assert "taxi_requests_total" in text


def test_the_page_can_be_read_by_prometheus(client: FlaskClient) -> None:
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"taxi_requests", "taxi_request_seconds", "taxi_predictions"} <= names


@pytest.mark.parametrize(
    ("status", "limit"),
    [(408, "time"), (413, "size"), (414, "head"), (429, "rate"), (431, "head")],
)
def test_a_request_beyond_a_limit_counts_as_rejected(status: int, limit: str) -> None:
    before = value("taxi_rejected_requests_total", limit=limit)
    RequestMetrics().observe([], [Handled("unknown", "unknown", status, 0)])
    assert value("taxi_rejected_requests_total", limit=limit) == before + 1


def test_a_method_that_a_caller_invents_makes_no_metric_of_its_own() -> None:
    RequestMetrics().observe([], [Handled("unknown", "BREW", 405, 0)])
    labels = {"endpoint": "unknown", "status": "405"}
    assert value("taxi_requests_total", method="other", **labels) >= 1
    assert value("taxi_requests_total", method="BREW", **labels) == 0


def test_many_values_at_once_count_as_each_of_them_alone() -> None:
    values = np.array([0.5, 2, 2.0001, 12.5, 59.9, 60, 61, 500])
    one_by_one, at_once = CollectorRegistry(), CollectorRegistry()
    slow = ManyHistogram("minutes", "Minutes", buckets=DURATIONS, registry=one_by_one)
    for one in values.tolist():
        slow.observe(one)
    ManyHistogram("minutes", "Minutes", buckets=DURATIONS, registry=at_once).observe_many(values)
    found, expected = (
        {
            (sample.name, sample.labels.get("le")): sample.value
            for family in registry.collect()
            for sample in family.samples
            if not sample.name.endswith("_created")
        }
        for registry in (at_once, one_by_one)
    )
    assert found == pytest.approx(expected)
