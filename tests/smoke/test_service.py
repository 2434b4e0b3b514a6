"""What callers need of a service that was just deployed; nothing of it changes there.

What only some of them have (the page of monitoring, the log of predictions) is not asked.
"""

import statistics
import time
from typing import Any, TypeVar

import httpx
import msgspec

from taxi_duration.areas import LOOP, OHARE
from taxi_duration.contract import Health, ModelAnswer, Prediction, Problem, Readiness

T = TypeVar("T")
NEAR_NORTH = 8
TRIP = {
    "pickup_community_area": OHARE,
    "dropoff_community_area": LOOP,
    "trip_start_timestamp": "2022-04-01T10:30:00",
    "trip_id": "smoke",
}
# Generous: a prediction takes milliseconds, and the way there and back some tens of them.
MOST_SECONDS = 1.0


def predict(service: httpx.Client, trips: Any) -> httpx.Response:
    return service.post("/predict", json=trips)


def answered(answer: httpx.Response, kind: type[T]) -> T:
    """The body of a success; everything in it is of the type that it is said to have."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return msgspec.json.decode(answer.content, type=kind)


def test_it_lives(service: httpx.Client) -> None:
    assert answered(service.get("/health"), Health) == Health()


def test_it_is_ready_with_a_model_and_has_refused_none(service: httpx.Client) -> None:
    ready = answered(service.get("/ready"), Readiness)
    assert ready.ready
    assert ready.model_version
    assert ready.refused is None


def test_the_model_says_which_version_it_is_and_what_it_was_trained_on(
    service: httpx.Client,
) -> None:
    model = answered(service.get("/model"), ModelAnswer)
    assert model.version
    assert model.run_id
    assert model.months


def test_a_trip_gets_a_duration_that_can_be(service: httpx.Client) -> None:
    answer = answered(predict(service, TRIP), Prediction)
    assert answer.trip_id == "smoke"
    assert answer.model_version
    assert answer.lower <= answer.prediction <= answer.upper
    # From O'Hare to the Loop it is 17 miles.
    assert 20 <= answer.prediction <= 70


def test_a_list_is_answered_in_its_order_with_what_each_trip_gets_alone(
    service: httpx.Client,
) -> None:
    near = {**TRIP, "pickup_community_area": NEAR_NORTH, "trip_id": "near"}
    unknown = {"trip_start_timestamp": TRIP["trip_start_timestamp"], "trip_id": "unknown"}
    answers = answered(predict(service, [near, TRIP, unknown]), list[Prediction])
    assert [answer.trip_id for answer in answers] == ["near", "smoke", "unknown"]
    assert len({answer.model_version for answer in answers}) == 1
    assert answers[0].prediction < answers[1].prediction
    alone = answered(predict(service, TRIP), Prediction)
    if alone.run_id == answers[1].run_id:
        assert alone == answers[1]


def test_a_trip_that_cannot_be_is_refused_with_the_field_that_is_wrong(
    service: httpx.Client,
) -> None:
    answer = predict(service, {**TRIP, "pickup_community_area": 99})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = msgspec.json.decode(answer.content, type=Problem)
    assert [error.path for error in problem.errors] == ["$.pickup_community_area"]


def test_a_prediction_does_not_take_long(service: httpx.Client) -> None:
    taken = []
    for _ in range(15):
        start = time.perf_counter()
        answered(predict(service, TRIP), Prediction)
        taken.append(time.perf_counter() - start)
    assert statistics.median(taken) < MOST_SECONDS, taken


def test_it_tells_its_metrics(service: httpx.Client) -> None:
    answer = service.get("/metrics")
    assert answer.status_code == 200
    assert "# TYPE taxi_requests_total counter\n" in answer.text
