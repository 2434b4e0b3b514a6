"""Each thing that can be wrong with a request has its answer, which says what would be right."""

import socket
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from taxi_duration.contract import AREA_RULE, TIME_RULE, TRIP_ID_RULE, FieldProblem, Problem

JSON = "application/json"
FIELDS = "only pickup_community_area, dropoff_community_area, trip_start_timestamp, trip_id"
A_TRIP = (
    'a trip, such as {"pickup_community_area": 8, "dropoff_community_area": 76,'
    ' "trip_start_timestamp": "2022-04-01T10:30:00"}'
)


class Wrong(NamedTuple):
    """A body, and the one thing that is wrong with it."""

    body: str
    path: str
    came: str
    expected: str


FIELD_PROBLEMS = {
    "an unknown field": Wrong('{"fare": 12.5}', "$.fare", "12.5", FIELDS),
    "a misspelt field": Wrong(
        '{"pickup_comunity_area": 8}',
        "$.pickup_comunity_area",
        "8",
        "no such field; did you mean pickup_community_area?",
    ),
    "an area below 1": Wrong(
        '{"pickup_community_area": 0}', "$.pickup_community_area", "0", AREA_RULE
    ),
    "an area above 77": Wrong(
        '{"dropoff_community_area": "78"}', "$.dropoff_community_area", '"78"', AREA_RULE
    ),
    "half an area": Wrong(
        '{"pickup_community_area": 8.5}', "$.pickup_community_area", "8.5", AREA_RULE
    ),
    "an area with a line break": Wrong(
        '{"pickup_community_area": "8\\n"}', "$.pickup_community_area", '"8\\n"', AREA_RULE
    ),
    "an area by its name": Wrong(
        '{"pickup_community_area": "Loop"}', "$.pickup_community_area", '"Loop"', AREA_RULE
    ),
    "NaN in a string": Wrong(
        '{"pickup_community_area": "NaN"}', "$.pickup_community_area", '"NaN"', AREA_RULE
    ),
    "an area of a wrong type": Wrong(
        '{"pickup_community_area": [8]}', "$.pickup_community_area", "[8]", AREA_RULE
    ),
    "a day that no month has": Wrong(
        '{"trip_start_timestamp": "2022-02-30T10:30:00"}',
        "$.trip_start_timestamp",
        '"2022-02-30T10:30:00"',
        TIME_RULE,
    ),
    "an hour that no day has": Wrong(
        '{"trip_start_timestamp": "2022-04-01T25:00:00"}',
        "$.trip_start_timestamp",
        '"2022-04-01T25:00:00"',
        TIME_RULE,
    ),
    "a year before there were such trips": Wrong(
        '{"trip_start_timestamp": "1970-01-01T00:00:00"}',
        "$.trip_start_timestamp",
        '"1970-01-01T00:00:00"',
        TIME_RULE,
    ),
    "seconds since 1970": Wrong(
        '{"trip_start_timestamp": 1648809000}', "$.trip_start_timestamp", "1648809000", TIME_RULE
    ),
    "a trip's id that is a number": Wrong('{"trip_id": 7}', "$.trip_id", "7", TRIP_ID_RULE),
    "a trip's id with a NUL in it": Wrong(
        '{"trip_id": "a\\u0000"}', "$.trip_id", '"a\\u0000"', TRIP_ID_RULE
    ),
    "the second trip of a list": Wrong(
        '[{}, {"dropoff_community_area": true}]', "$[1].dropoff_community_area", "true", AREA_RULE
    ),
    "a list in a list": Wrong("[{}, [{}]]", "$[1]", "[{}]", A_TRIP),
    "no trip at all": Wrong('"Loop"', "$", '"Loop"', f"{A_TRIP}, or a list of trips"),
    "an empty list": Wrong("[]", "$", "[]", "1 to 10,000 trips"),
}


def problem(answer: Any) -> Problem:
    """The problem in the answer, whose form is that of RFC 9457."""
    assert answer.content_type == "application/problem+json"
    told = msgspec.json.decode(answer.data, type=Problem)
    assert (told.type, told.status) == ("about:blank", answer.status_code)
    assert told.title == HTTPStatus(answer.status_code).phrase
    return told


@pytest.mark.parametrize("wrong", FIELD_PROBLEMS.values(), ids=FIELD_PROBLEMS)
def test_a_field_that_cannot_be_is_told_with_its_place_what_came_and_what_would_be_right(
    client: FlaskClient, wrong: Wrong
) -> None:
    answer = client.post("/predict", data=wrong.body, content_type=JSON)
    assert answer.status_code == 422
    assert problem(answer).errors == (FieldProblem(wrong.path, wrong.came, wrong.expected),)


def test_all_that_is_wrong_is_told_at_once(client: FlaskClient) -> None:
    bodies = [wrong.body for wrong in FIELD_PROBLEMS.values() if wrong.body.startswith("{")]
    told = problem(client.post("/predict", data=f"[{','.join(bodies)}]", content_type=JSON))
    assert [error.path.partition(".")[0] for error in told.errors] == [
        f"$[{place}]" for place in range(len(bodies))
    ]
    assert told.detail.startswith(f"{len(bodies)} things are wrong")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "The body is empty"),
        ("pickup_community_area=8", "cannot be read as JSON"),
        ('{"pickup_community_area": 8', "cannot be read as JSON"),
        ('{"pickup_community_area": NaN}', "NaN and Infinity are not JSON: write null"),
        ('{"pickup_community_area": -Infinity}', "NaN and Infinity are not JSON: write null"),
    ],
)
def test_what_is_no_json_is_told_so(client: FlaskClient, body: str, said: str) -> None:
    answer = client.post("/predict", data=body, content_type=JSON)
    assert answer.status_code == 400
    assert said in problem(answer).detail


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_in_another_encoding_is_refused_with_the_right_one(
    client: FlaskClient, encoding: str
) -> None:
    answer = client.post("/predict", data="{}".encode(encoding), content_type=JSON)
    assert answer.status_code == 400
    assert "UTF-8 without a byte order mark" in problem(answer).detail


def test_a_body_of_another_type_is_refused_with_the_type_that_is_taken(client: FlaskClient) -> None:
    answer = client.post("/predict", data="8,76", content_type="text/csv")
    assert answer.status_code == 415
    assert answer.headers["Accept"] == JSON
    assert "came as text/csv" in problem(answer).detail


@pytest.mark.parametrize("host", ["service", "service:9696", "xn--a", "[::1"])
def test_whoever_sends_another_type_is_told_the_address_that_was_asked(
    app: Flask, host: str
) -> None:
    # Flask's own client cannot read such a host.
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://service") as client:
        headers = {"Host": host, "Content-Type": "text/csv"}
        answer = client.post("/predict?a=1", content=b"8,76", headers=headers)
    assert answer.status_code == 415
    assert answer.json()["detail"].endswith(f" http://{host}/predict")


def test_a_body_whose_end_does_not_come_is_told_so(live: str) -> None:
    url = urlsplit(live)
    head = b"POST /predict HTTP/1.1\r\nHost: service\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((url.hostname, url.port), timeout=10) as caller:
        caller.sendall(head + b"2\r\n{}\r\nno chunk\r\n")
        answer = b"".join(iter(lambda: caller.recv(65_536), b""))
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert b"ended before its end" in answer


def test_a_body_that_is_compressed_is_refused(client: FlaskClient) -> None:
    headers = {"Content-Encoding": "gzip"}
    answer = client.post("/predict", data=b"\x1f\x8b", content_type=JSON, headers=headers)
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "identity"
    assert "gzip" in problem(answer).detail


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE"])
def test_another_method_is_told_which_one_is_answered(client: FlaskClient, method: str) -> None:
    answer = client.open("/predict", method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert f"{method} is not answered at /predict; use POST." in problem(answer).detail


def test_a_path_that_does_not_exist_is_answered_with_those_that_can_be_asked(
    client: FlaskClient,
) -> None:
    answer = client.get("/predictions")
    assert answer.status_code == 404
    described = client.get("/openapi.json").json
    assert described is not None
    assert f"There are {', '.join(sorted(described['paths']))}." in problem(answer).detail


def test_a_path_that_lacks_its_last_slash_leads_to_the_one_that_has_it(app: Flask) -> None:
    answer = app.test_client().get("/docs?a=b")
    assert answer.status_code == 308
    # A proxy in front may speak https.
    assert answer.headers["Location"] == "/docs/?a=b"
