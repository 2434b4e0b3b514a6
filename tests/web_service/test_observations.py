import logging
import threading

import pytest
from flask.testing import FlaskClient

from duration_service.observations import Answered, Handled, Observations
from taxi_duration.model.features import FEATURES

ONE = Handled("/predict", "POST", 200, 0.001)


class Notebook:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.handled: list[Handled] = []
        self.told = threading.Event()

    def observe(self, answered: list[Answered], handled: list[Handled]) -> None:
        self.handled += handled
        if handled:
            self.told.set()


class Broken:
    def observe(self, answered: list[Answered], handled: list[Handled]) -> None:
        raise RuntimeError("the disk is full")


def test_observers_are_told_once_and_in_order() -> None:
    notebook = Notebook()
    observations = Observations([notebook], seconds=60)
    requests = [ONE._replace(status=status) for status in range(200, 210)]
    observations.handled.extend(requests[:5])
    observations.hand_on()
    observations.handled.extend(requests[5:])
    observations.hand_on()
    assert notebook.handled == requests


def test_observers_are_told_from_a_thread_while_requests_go_on() -> None:
    notebook = Notebook()
    observations = Observations([notebook], seconds=0.01)
    observations.start()
    observations.handled.append(ONE)
    assert notebook.told.wait(5)
    observations.stop()


def test_what_is_queued_at_the_end_is_handed_on_before_the_stop_returns() -> None:
    notebook = Notebook()
    observations = Observations([notebook], seconds=60)
    observations.start()
    observations.handled.append(ONE)
    observations.stop()
    assert notebook.handled == [ONE]


def test_an_observer_that_fails_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notebook = Notebook()
    observations = Observations([Broken(), notebook], seconds=60)
    observations.handled.append(ONE)
    with caplog.at_level(logging.ERROR):
        observations.hand_on()
    assert notebook.handled == [ONE]
    assert "Broken failed" in caplog.text
    assert "the disk is full" in caplog.text


def test_every_request_is_observed_with_its_status(
    client: FlaskClient, observations: Observations
) -> None:
    client.post("/predict", json={"pickup_community_area": 8})
    client.post("/predict", json={"pickup_community_area": 99})
    client.get("/nowhere")
    seen = [(one.endpoint, one.method, one.status) for one in observations.handled]
    assert seen == [
        ("/predict", "POST", 200),
        ("/predict", "POST", 422),
        ("unknown", "GET", 404),
    ]
    assert all(0 < one.seconds < 5 for one in observations.handled)


@pytest.mark.parametrize(
    ("method", "path", "seen"),
    [
        ("GET", "//", ("/", "GET", 200)),
        ("POST", "//predict", ("/predict", "POST", 200)),
        ("OPTIONS", "*", ("unknown", "OPTIONS", 404)),
        ("GET", "//elsewhere", ("unknown", "GET", 404)),
    ],
)
def test_a_request_counts_where_its_path_leads_however_it_begins(
    client: FlaskClient,
    observations: Observations,
    method: str,
    path: str,
    seen: tuple[str, str, int],
) -> None:
    as_gunicorn_has_it = {"PATH_INFO": path}
    client.open(method=method, environ_overrides=as_gunicorn_has_it, json={})
    (one,) = observations.handled
    assert (one.endpoint, one.method, one.status) == seen


@pytest.mark.parametrize(
    ("path", "endpoint", "status"),
    [
        ("/predict", "/predict", 405),
        ("/predict/", "unknown", 404),
        ("/predict/anything", "unknown", 404),
        ("/docs", "/docs", 308),
        ("/docs/", "/docs", 200),
        ("/docs/anything", "/docs", 404),
    ],
)
def test_a_request_counts_as_one_for_a_page_where_there_are_pages_below_it(
    client: FlaskClient, observations: Observations, path: str, endpoint: str, status: int
) -> None:
    client.get(path)
    (one,) = observations.handled
    assert (one.endpoint, one.status) == (endpoint, status)


def test_an_answer_is_observed_with_its_trips_and_minutes(
    client: FlaskClient, observations: Observations
) -> None:
    trips = [{"pickup_community_area": 8, "trip_id": "a"}, {"dropoff_community_area": 32}]
    answers = client.post("/predict", json=trips).get_json()
    (answered,) = observations.answered
    assert [trip.trip_id for trip in answered.trips] == ["a", None]
    assert answered.features.shape == (2, len(FEATURES))
    assert [row[1] for row in answered.minutes.tolist()] == [one["prediction"] for one in answers]
    assert answered.served.version.version == "3"
