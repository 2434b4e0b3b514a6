"""The client, asking the service itself, or a server that behaves as proxies and floods do."""

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import numpy as np
import pandas as pd
import pytest
from flask import Flask, Response

from duration_service.champion import EXTENSION, ModelHolder
from in_thread import serving
from taxi_duration.client import (
    DurationClient,
    ServiceBusyError,
    ServiceFailedError,
    ServiceProblemError,
    ServiceUnreachableError,
    TripsRefusedError,
)
from taxi_duration.contract import ChicagoTime, ModelVersion, Prediction, Problem, Trip
from taxi_duration.errors import ServiceError, SettingsError
from taxi_duration.retry_after import retry_after

TO_OHARE = Trip(8, 76, ChicagoTime(2022, 4, 1, 10, 30), "to the airport")


class Waits(list[float]):
    """Stands for `time.sleep`, and keeps how long was slept."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def asking(waits: Waits) -> Callable[..., DurationClient]:
    """Clients of applications in this process."""

    def make(app: Flask, **options: int) -> DurationClient:
        return DurationClient(
            "http://service", transport=httpx.WSGITransport(app), sleep=waits, **options
        )

    return make


def answering(*answers: tuple[int, Mapping[str, str], str]) -> Flask:
    """A server that gives these answers one after the other, and the last one ever after."""
    app = Flask("server", static_folder=None)
    left = list(answers)

    @app.post("/predict")
    def predict() -> Response:
        status, headers, text = left.pop(0) if len(left) > 1 else left[0]
        return Response(text, status, headers)

    return app


GOOD = (
    200,
    {"Content-Type": "application/json"},
    '{"prediction": 27.4, "lower": 20.1, "upper": 38.0, "unit": "minutes", "model_version": "3",'
    ' "run_id": "r", "trip_id": null}',
)


def test_a_trip_is_answered_with_a_prediction_and_a_list_with_a_list(
    app: Flask, asking: Callable[..., DurationClient], champion: ModelVersion
) -> None:
    with asking(app) as client:
        one = client.predict(TO_OHARE)
        assert 0 < one.lower <= one.prediction <= one.upper
        assert (one.model_version, one.trip_id) == (champion.version, "to the airport")
        assert client.predict([TO_OHARE, TO_OHARE]) == [one, one]
        assert client.predict((TO_OHARE,)) == [one]


def test_trips_may_come_one_by_one_and_hold_what_data_frames_hold(
    app: Flask, asking: Callable[..., DurationClient]
) -> None:
    client = asking(app)
    frame = pd.DataFrame(
        {
            "pickup": np.array([8, 8], np.int64),
            "dropoff": [76.0, np.nan],
            "start": pd.to_datetime(["2022-04-01T10:30", "2022-04-01T10:30"]),
        }
    )
    rows = (Trip(*row) for row in frame.itertuples(index=False))
    plain = ChicagoTime(2022, 4, 1, 10, 30)
    assert client.predict(rows) == client.predict([Trip(8, 76, plain), Trip(8, None, plain)])


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int8, np.int64])
def test_the_numbers_and_strings_of_an_array_may_stand_in_a_trip(
    app: Flask, asking: Callable[..., DurationClient], kind: Any
) -> None:
    unknown: Any = np.float64("nan")
    client, start = asking(app), TO_OHARE.trip_start_timestamp
    of_arrays = client.predict(Trip(kind(8), unknown, start, np.str_("a")))
    assert of_arrays == client.predict(Trip(8, None, start, "a"))


@pytest.mark.parametrize("wrong", [{"pickup_community_area": 8}, "8", Trip(object())])  # type: ignore[arg-type]
def test_what_is_no_trip_is_a_type_error_that_says_so(
    app: Flask, asking: Callable[..., DurationClient], wrong: Any
) -> None:
    with pytest.raises(TypeError, match=r"Trip|A trip cannot have <object"):
        asking(app).predict(wrong)


@pytest.mark.parametrize("kind", [float, np.float32, np.float64])
def test_an_infinite_area_is_not_sent_as_an_unknown_one(
    app: Flask, asking: Callable[..., DurationClient], kind: Any
) -> None:
    with pytest.raises(ValueError, match=r"An area cannot be .*inf"):
        asking(app).predict([TO_OHARE, Trip(8, kind("-inf"))])


def test_a_truth_value_of_numpy_is_no_area(
    app: Flask, asking: Callable[..., DurationClient]
) -> None:
    wrong: Any = np.True_
    with pytest.raises(TripsRefusedError) as refused:
        asking(app).predict(Trip(wrong))
    assert [e.came for e in refused.value.errors] == ["true"]


@pytest.mark.parametrize("url", ["localhost:9696", "127.0.0.1:9696", "", "http://", "http://[::1"])
def test_what_is_no_address_is_refused_at_once_with_what_one_is(url: str) -> None:
    with pytest.raises(SettingsError, match="One is http://localhost:9696"):
        DurationClient(url)


def test_a_client_shows_whom_it_asks() -> None:
    with DurationClient("http://service:9696") as client:
        assert repr(client) == "DurationClient('http://service:9696')"


@pytest.mark.parametrize(
    "answer",
    [
        (308, {"Location": "https://service/predict"}, ""),
        (200, {}, "no JSON"),
        (200, {"Content-Encoding": "gzip"}, "no gzip"),
        None,
    ],
)
def test_a_password_in_the_address_is_told_nobody(answer: Any, waits: Waits) -> None:
    transport = httpx.WSGITransport(answering(answer)) if answer else None
    address = "http://somebody:secret@127.0.0.1:9"
    with DurationClient(address, attempts=1, transport=transport, sleep=waits) as client:
        with pytest.raises(ServiceError, match=r"http://127\.0\.0\.1:9") as caught:
            client.predict(TO_OHARE)
        assert "secret" not in f"{client!r} {caught.value}"


def test_errors_go_through_a_pool_of_processes(
    app: Flask, asking: Callable[..., DurationClient]
) -> None:
    for client in (asking(app), asking(answering((503, {"Retry-After": "3600"}, "later")))):
        with pytest.raises(ServiceProblemError) as caught:
            client.predict(Trip(99))
        copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # its own
        assert (type(copy), str(copy)) == (caught.type, str(caught.value))
        assert vars(copy) == vars(caught.value)


CALLING: Final = """
from taxi_duration.client import DurationClient
from taxi_duration.contract import ChicagoTime, Trip

trip = Trip(pickup_community_area=8, trip_start_timestamp=ChicagoTime(2022, 4, 1, 10, 30))
minutes: float = DurationClient().predict(trip).prediction
text: str = DurationClient().predict([trip])[0].prediction  # type: ignore[assignment]
"""


@pytest.mark.slow
def test_mypy_knows_the_types_of_the_client_wherever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "caller.py").write_text(CALLING)
    asked = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "caller.py"]
    told = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.stdout == ""


class ByConnection(BaseHTTPRequestHandler):
    """Answers with the caller's port as the run, and keeps the connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = msgspec.json.encode(
            Prediction(1, 1, 1, "minutes", "3", str(self.client_address[1]), None)
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def keeping() -> Iterator[str]:
    """The address of a server that keeps connections, and tells them apart."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), ByConnection)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


FORKING: Final = """
import os, sys
from taxi_duration.client import DurationClient
from taxi_duration.contract import Trip

client = DurationClient(sys.argv[1])
print(client.predict(Trip()).run_id, flush=True)
if os.fork():
    os.wait()
print(client.predict(Trip()).run_id, flush=True)
"""


def test_processes_that_fork_share_a_client_and_no_connection(keeping: str) -> None:
    asked = [sys.executable, "-c", FORKING, keeping]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    before, child, after = told.stdout.split()
    assert before == after != child


def test_a_service_that_moved_is_named(asking: Callable[..., DurationClient]) -> None:
    moved = (308, {"Location": "https://service/predict"}, "")
    with pytest.raises(ServiceFailedError, match="is now https://service/predict"):
        asking(answering(moved)).predict(TO_OHARE)


def test_a_proxy_that_cannot_reach_the_service_is_not_taken_for_it(waits: Waits) -> None:
    proxy = httpx.MockTransport(lambda _: httpx.Response(503, text="<h1>no upstream</h1>"))
    client = DurationClient("http://service", transport=proxy, sleep=waits)
    with pytest.raises(ServiceBusyError, match="no upstream"):
        client.ready()


def test_a_moment_with_a_zone_is_the_same_moment_in_chicago(
    app: Flask, asking: Callable[..., DurationClient]
) -> None:
    moment = ChicagoTime.of(datetime(2022, 4, 1, 15, 30, tzinfo=UTC))
    assert moment == TO_OHARE.trip_start_timestamp
    client = asking(app)
    assert client.predict(Trip(8, 76, moment, "to the airport")) == client.predict(TO_OHARE)


def test_the_model_and_the_readiness_come_as_types(
    app: Flask, empty: Flask, asking: Callable[..., DurationClient], champion: ModelVersion
) -> None:
    client = asking(app)
    assert client.model().run_id == champion.run_id
    assert client.ready().model_version == champion.version
    assert not asking(empty).ready().ready


def test_wrong_trips_are_refused_at_once_with_every_wrong_field(
    app: Flask, asking: Callable[..., DurationClient], waits: Waits
) -> None:
    with pytest.raises(TripsRefusedError) as caught:
        asking(app).predict([TO_OHARE, Trip(99, 0)])
    assert [error.path for error in caught.value.errors] == [
        "$[1].pickup_community_area",
        "$[1].dropoff_community_area",
    ]
    assert "1 to 77" in str(caught.value)
    assert not waits


def test_while_there_is_no_model_it_asks_again_when_the_service_says(
    app: Flask, empty: Flask, waits: Waits
) -> None:
    holder: ModelHolder = empty.extensions[EXTENSION]
    ready: ModelHolder = app.extensions[EXTENSION]

    def sleep(seconds: float) -> None:
        waits(seconds)
        holder.served = ready.served

    with DurationClient(
        "http://service", transport=httpx.WSGITransport(empty), sleep=sleep
    ) as client:
        assert client.predict(TO_OHARE).unit == "minutes"
    assert len(waits) == 1
    assert waits[0] >= int(empty.config["RETRY_AFTER"])


def test_an_answer_that_is_no_text_is_an_error_of_the_client(
    asking: Callable[..., DurationClient],
) -> None:
    broken = Flask("server", static_folder=None)
    broken.add_url_rule("/predict", view_func=lambda: (b'{"title": "\xff"}', 500), methods=["POST"])
    with pytest.raises(ServiceFailedError):
        asking(broken).predict(TO_OHARE)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_pass_is_asked_again_after_growing_waits(
    asking: Callable[..., DurationClient], waits: Waits, status: int
) -> None:
    bad = (status, dict[str, str](), "busy")
    assert asking(answering(bad, bad, GOOD)).predict(TO_OHARE).prediction == 27.4
    assert len(waits) == 2
    assert 0.1 <= waits[0] <= 0.2 <= waits[1] <= 0.4


def test_it_gives_up_after_so_many_attempts_with_what_the_last_one_said(
    asking: Callable[..., DurationClient], waits: Waits
) -> None:
    problem = Problem(type="about:blank", title="Too Many Requests", status=429, detail="Later.")
    flood = (429, {"Retry-After": "2"}, msgspec.json.encode(problem).decode())
    with pytest.raises(ServiceBusyError, match="429 Too Many Requests: Later") as caught:
        asking(answering(flood), attempts=3).predict(TO_OHARE)
    assert waits == [2, 2]
    assert caught.value.retry_after == 2


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}])
def test_however_many_attempts_there_are_no_wait_is_longer_than_the_longest(
    asking: Callable[..., DurationClient], waits: Waits, headers: Mapping[str, str]
) -> None:
    with pytest.raises(ServiceBusyError):
        asking(answering((503, headers, "busy")), attempts=1_100).predict(TO_OHARE)
    assert len(waits) == 1_099
    assert waits[-1] == 10


def test_a_date_in_retry_after_is_waited_for(
    asking: Callable[..., DurationClient], waits: Waits
) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=5), usegmt=True)
    asking(answering((503, {"Retry-After": later}, ""), GOOD)).predict(TO_OHARE)
    assert 3 < waits[0] <= 5


@pytest.mark.parametrize(
    "odd",
    [
        *("²", "٣", "soon", "-1", ""),
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -0100",
        "Fri, 01 Jan 2027 00:00:00 +99999999999999",
    ],
)
def test_a_wait_that_is_no_time_is_none(odd: str) -> None:
    assert retry_after({"Retry-After": odd}) == 0


@pytest.mark.parametrize(
    "form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"]
)
@pytest.mark.parametrize("zone", ["America/Chicago", "Asia/Kolkata"])
def test_a_date_is_read_in_every_form_of_http_wherever_the_caller_is(
    monkeypatch: pytest.MonkeyPatch, form: str, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        later = datetime.now(UTC) + timedelta(seconds=90)
        assert 88 < retry_after({"Retry-After": later.strftime(form)}) <= 90
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_wait_that_is_too_long_is_left_to_the_caller(
    asking: Callable[..., DurationClient], waits: Waits
) -> None:
    with pytest.raises(ServiceBusyError) as caught:
        asking(answering((503, {"Retry-After": "3600"}, ""), GOOD)).predict(TO_OHARE)
    assert caught.value.retry_after == 3600
    assert not waits


@pytest.mark.parametrize(("status", "error"), [(500, ServiceFailedError), (404, TripsRefusedError)])
def test_an_answer_that_is_no_problem_of_the_service_is_told_with_its_beginning(
    asking: Callable[..., DurationClient], waits: Waits, status: int, error: type[ServiceError]
) -> None:
    with pytest.raises(error, match="somebody else"):
        asking(answering((status, {}, "<h1>somebody else</h1>"))).predict(TO_OHARE)
    assert not waits


@pytest.mark.parametrize("coding", ["utf-16", "hex", "rot13", "idna", "undefined", "none"])
def test_a_page_of_somebody_else_is_told_whatever_its_coding(
    asking: Callable[..., DurationClient], coding: str
) -> None:
    page = (500, {"Content-Type": f"text/html; charset={coding}"}, "<html>A proxy's")
    with pytest.raises(ServiceFailedError, match="500 Internal Server Error: <html>A proxy's"):
        asking(answering(page)).predict(TO_OHARE)


def test_a_success_that_cannot_be_read_is_an_error(asking: Callable[..., DurationClient]) -> None:
    with pytest.raises(ServiceError, match="cannot be read"):
        asking(answering((200, {}, "<h1>hello</h1>"))).predict(TO_OHARE)


def test_an_answer_that_is_not_compressed_as_it_says_is_an_error_of_the_client(
    asking: Callable[..., DurationClient],
) -> None:
    with pytest.raises(ServiceError, match="cannot be read"):
        asking(answering((200, {"Content-Encoding": "gzip"}, "no gzip"))).predict(TO_OHARE)


def test_a_service_that_does_not_answer_is_asked_again_and_named(waits: Waits) -> None:
    with (
        DurationClient("http://127.0.0.1:9", sleep=waits, attempts=3) as client,
        pytest.raises(ServiceUnreachableError, match=r"127\.0\.0\.1:9"),
    ):
        client.predict(TO_OHARE)
    assert len(waits) == 2


def test_an_answer_that_takes_too_long_is_not_waited_for(live: str, app: Flask) -> None:
    released = threading.Event()

    @app.before_request
    def wait() -> None:
        released.wait(10)

    with (
        DurationClient(live, timeout_seconds=0.2, attempts=1) as client,
        pytest.raises(ServiceUnreachableError, match="timed out"),
    ):
        client.predict(TO_OHARE)
    released.set()
