from flask.testing import FlaskClient
from prometheus_client import REGISTRY, generate_latest

from duration_service.metrics import MODEL, Present, RequestMetrics
from duration_service.observations import Observations
from folder_registry import value


def test_requests_and_predictions_are_counted(
    client: FlaskClient, observations: Observations
) -> None:
    observations.observers = [RequestMetrics()]
    refused = {"endpoint": "predict.predict", "method": "POST", "status": "422"}
    before = value("taxi_predictions_total", model_version="3")
    refused_before = value("taxi_requests_total", **refused)
    client.post("/predict", json=[{}, {}, {}])
    client.post("/predict", json=[])
    observations.hand_on()
    assert value("taxi_predictions_total", model_version="3") == before + 3
    assert value("taxi_requests_total", **refused) == refused_before + 1


def test_only_the_model_that_answers_now_is_shown() -> None:
    MODEL.labels("41", "run-41", "city").set(0)
    MODEL.labels("42", "run-42", "city").set(1)
    text = generate_latest(Present(REGISTRY)).decode()
    assert 'taxi_model_info{run_id="run-42",source="city",version="42"} 1.0' in text
    assert "run-41" not in text
    assert "taxi_requests_total" in text
