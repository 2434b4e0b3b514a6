"""Whatever comes, the service answers as it describes itself, and never with a fault.

A hundred cases a test; two thousand with `pytest --hypothesis-profile=thorough`.
"""

import itertools
import random
from collections import Counter
from typing import Any

import msgspec
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from duration_service.operations import OPERATIONS, PROBLEMS
from taxi_duration.contract import Prediction, Problem

CASES = hypothesis_settings().max_examples
MUTATIONS = 20 * CASES
CHECKS = {"negative_data_rejection": {"expected-statuses": [400, 405, 413, 415, 422]}}
# The thorough run takes minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

# What goes into a body, and what is likely to hurt whoever reads it.
BODIES = (
    b'{"pickup_community_area": 8, "dropoff_community_area": "76.0",'
    b' "trip_start_timestamp": "2022-04-01T10:30:00", "trip_id": "a"}',
    b'[{"pickup_community_area": 32}, {"trip_start_timestamp": "2022-04-01T10:30:00.5-07:00"}]',
    b"[{}, {}, {}]",
)
TOKENS = (
    *(
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"\n",
        b"\x00",
        b"\xff",
        b"\xf0\x9f\x9a\x95",
    ),
    *(b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-0", b"0.1e-400", b"77.0000000000000001"),
    *(b"9" * 400, b"1." + b"0" * 400, b"[" * 2_000, b'{"a":' * 2_000, b"\\ud800", b"\\u0000"),
    *(b'"trip_id":', b'"pickup_community_area":', b"2100-12-31T23:59:59-23:59", b"0000-00-00"),
    *(b"\xef\xbb\xbf", b"//", b"'", b"\xd9\xa8", b"8\\n", b" " * 1_000),
)


@pytest.fixture
def described(app: Flask) -> Any:
    # The edges come besides these, and are the same every time.
    config = SchemathesisConfig.from_dict({"checks": CHECKS, "generation": {"max-examples": 10}})
    return schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)


def test_every_operation_does_what_it_says_for_the_edges_of_its_schema(described: Any) -> None:
    cases: Counter[str] = Counter()
    for event in from_schema(described).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), event
        if isinstance(event, events.ScenarioFinished):
            cases[event.recorder.label] += len(event.recorder.cases)
        if isinstance(event, events.EngineFinished):
            assert not event.failures
    assert cases["POST /predict"] > 40
    assert min(cases.values()) >= 5


# No other operation has a parameter or a body, so a path with a method is the only case that there
# is; a caller can add what nobody reads. Of these, each with each are distinct to the service.
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY")
QUERIES = ("", "?", "?a=1", "?source=city", "?source=%00%ff", "?source=" + "x" * 3_000)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Accept": "text/html;q=x"},
    {"Accept-Encoding": "gzip"},
    {"If-None-Match": '"x", W/"'},
    {"If-Modified-Since": "never"},
    {"Range": "bytes=5-1,-0"},
    {"Content-Type": "application/json; charset=x"},
    {"Content-Encoding": "gzip"},
    {"Authorization": "Basic \xff"},
    {"Cookie": 'a="; =;'},
    {"Forwarded": "for=\xff", "X-Forwarded-For": ","},
    {"Host": "[::1"},
    {"X-HTTP-Method-Override": "DELETE", "Upgrade": "h2c"},
)
SENT = (b"", b"x", b"\xff" * 600)
PLAIN = [path for way, path in OPERATIONS if way == "get"]


@pytest.mark.parametrize("path", PLAIN)
def test_an_operation_without_parameters_answers_as_it_says_to_everything(
    client: FlaskClient, path: str
) -> None:
    """2,106 cases a path, which are all that there are of these."""
    problems = msgspec.json.Decoder(Problem)
    statuses: Counter[int] = Counter()
    every = itertools.product(METHODS, QUERIES, HEADERS, SENT)
    for method, query, headers, body in every:
        answer = client.open(path + query, method=method, headers=headers, data=body)
        statuses[answer.status_code] += 1
        answers = method in {"GET", "HEAD", "OPTIONS"}
        assert answer.status_code in ({200, 304, 503} if answers else {405}), (method, headers)
        if answer.content_type == "application/problem+json" and method != "HEAD":
            problems.decode(answer.data)
        answer.close()
    assert statuses.total() == 9 * 6 * 13 * 3


@pytest.mark.parametrize("mode", GenerationMode)
def test_a_request_is_answered_as_its_schema_says(described: Any, mode: GenerationMode) -> None:
    statuses: Counter[int] = Counter()

    @given(case=described["/predict"]["POST"].as_strategy(generation_mode=mode))
    @hypothesis_settings(
        max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    def ask(case: Any) -> None:
        statuses[case.call_and_validate().status_code] += 1

    ask()
    assert statuses.total() >= CASES
    assert (200 in statuses) == (mode is GenerationMode.POSITIVE)


def mutated(body: bytes, choose: random.Random) -> bytes:
    """The body with up to six pieces replaced, removed, repeated or brought in."""
    for _ in range(choose.randint(1, 6)):
        start, end = sorted(choose.randrange(len(body) + 1) for _ in range(2))
        end = min(end, start + choose.choice([0, 1, 1, 4, 40]))
        piece = choose.choice(
            [b"", bytes([choose.randrange(256)]), choose.choice(TOKENS), body[start:end] * 2]
        )
        body = body[:start] + piece + body[end:]
    return body


def test_a_body_that_is_damaged_in_any_way_has_an_answer_that_is_no_fault(
    client: FlaskClient,
) -> None:
    choose = random.Random(9696)
    predictions = msgspec.json.Decoder(Prediction | list[Prediction])
    problems = msgspec.json.Decoder(Problem)
    statuses: Counter[int] = Counter()
    for _ in range(MUTATIONS):
        body = mutated(choose.choice(BODIES), choose)
        answer = client.post("/predict", data=body, content_type="application/json")
        statuses[answer.status_code] += 1
        assert answer.status_code in {200, *PROBLEMS} - {500, 503}, body
        (predictions if answer.status_code == 200 else problems).decode(answer.data)
    assert {200, 400, 422} <= set(statuses)
