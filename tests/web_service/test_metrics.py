from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from duration_service.metrics import RequestMetrics
from duration_service.observations import Observations


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


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
