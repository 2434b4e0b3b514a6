"""Whatever bytes come on a connection, requests end where gunicorn's own parser ends them.

Three thousand connections a run; 60,000 with `pytest --hypothesis-profile=thorough`.
"""

import random
import re
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from hypothesis import settings as hypothesis_settings

from taxi_duration.settings import Settings
from web_service.own_worker import OwnWorker, own_worker, received

CASES = 30 * hypothesis_settings().max_examples
# The thorough run takes minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

TRIP = b'{"pickup_community_area": 8, "dropoff_community_area": 76}'
BODIES = (
    b"",
    b"x",
    b"{}",
    b'{"a": 1}',
    TRIP,
    b"[%b]" % b",".join([TRIP] * 20),
    b"GET /health HTTP/1.1\r\n\r\n",
)
LINES = (
    *(b"GET /health", b"POST /predict", b"GET /model", b"PUT /predict", b"HEAD /health", b"get /"),
    *(b"OPTIONS *", b"GET http://a/health", b"POST /predict?a", b"GET /%00%ff", b"\x16\x03\x01"),
    *(b"GET /monitoring.json", b"GET /nowhere", b"POST  /predict", b"GET /" + b"y" * 5_000),
)
FIELDS = (
    *(b"Host: a", b"Host: b", b"Expect: 100-continue", b"Expect: more", b"Connection: close"),
    *(b"Content-Type: application/json", b"Content-Type: text/plain", b"Content-Encoding: gzip"),
    *(b"Content-Length: 5", b"Content-Length: 00000000000000000000031", b"Content-Length: -1"),
    *(b"Content-Length: 99999999", b"Content-Length : 3", b"Content_Length: 3", b"Content-Length:"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Te: trailers"),
    *(b"Transfer-Encoding:\tCHUNKED", b"Transfer_Encoding: chunked", b" folded: 1", b"X: \n", b":"),
    *(b"Script_Name: /x", b"X-Forwarded-Proto: https", b"Upgrade: h2c", b"X: " + b"y" * 9_000),
)
JUNK = (b"\r\n", b"\r", b"\n", b"\x00", b"0\r\n\r\n", b"5\r\n", b";" * 300, b"\xff", b" ", b":")
REFUSED = {400, 413, 414, 417, 431, 501, 505}
ANSWER = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def in_chunks(body: bytes, choose: random.Random) -> bytes:
    """The body in chunks of one size, with extensions and trailers now and then."""
    size = choose.choice([1, 7, 1_000])
    extension = choose.choice([b"", b"", b";a=b", b" ;", b";" + b"x" * 300])
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    trailers = choose.choice([b"", b"", b"X: y\r\n", b"X: y\n\nGET / HTTP/1.1\r\n"])
    framed = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    return framed + b"0\r\n" + trailers + b"\r\n"


def request(choose: random.Random) -> bytes:
    """A request that is right, or nearly."""
    body = choose.choice(BODIES)
    fields = [*choose.sample(FIELDS, choose.choice([0, 0, 1, 2])), b"Host: a"]
    if choose.random() < 0.4:
        fields.append(b"Transfer-Encoding: chunked")
        body = in_chunks(body, choose)
    elif body or choose.random() < 0.5:
        fields.append(b"Content-Length: %d" % len(body))
    choose.shuffle(fields)
    first = choose.choice(LINES if choose.random() < 0.4 else LINES[:3])
    version = choose.choice([b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/2.0"])
    return b"\r\n".join([b"%b %b" % (first, version), *fields, b"", body])


def conversation(choose: random.Random) -> bytes:
    """One to four requests at once, half of the time with a piece taken out or brought in."""
    data = b"".join(request(choose) for _ in range(choose.choice([1, 1, 2, 4])))
    if choose.random() < 0.5:
        at = choose.randrange(len(data) + 1)
        data = data[:at] + choose.choice([b"", *JUNK]) + data[at + choose.choice([0, 0, 1, 9]) :]
    return data


class Reference(Request):  # type: ignore[misc]
    """A request as gunicorn reads it, but that HTTP/1.0 knows nothing that could be expected."""

    @property
    def _policy_expect_continue(self) -> bool:
        return bool(self.version >= (1, 1))


class ReferenceParser(RequestParser):  # type: ignore[misc]
    mesg_class = Reference


def as_gunicorn(data: bytes, address: str) -> Iterator[tuple[str, str, bytes]]:
    """The requests that gunicorn's parser finds: method, target and body of each."""
    goes_on = True
    while goes_on and (data := data.lstrip(b"\r\n") if data.startswith(b"\r\n") else data):
        parser = ReferenceParser(CONFIGURATION, iter([data]), (address, 1))
        try:
            found = next(parser)
            body = found.body.read()
        except (ParseException, OSError, StopIteration):
            return
        if len(body) < int(dict(found.headers).get("CONTENT-LENGTH", 0)):
            return
        yield found.method, found.uri, body
        goes_on = not found.should_close()
        data = parser.unreader.take_buffered()


CONFIGURATION = Config()


class Wire:
    """A worker whose application notes what it is asked, by the address of who asks."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.asked: dict[str, list[tuple[str, str, bytes]]] = {}

    def __call__(self, environ: Any, start_response: Any) -> Any:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        asked = (environ["REQUEST_METHOD"], environ["RAW_URI"], body)
        self.asked.setdefault(environ["REMOTE_ADDR"], []).append(asked)
        return self.app.wsgi_app(environ, start_response)


def talk(worker: OwnWorker, address: str, data: bytes, choose: random.Random) -> bytes | None:
    """What the caller at `address` got; None where it left before, or was left."""
    with socket.create_connection(("127.0.0.1", worker.port), 10, (address, 0)) as caller:
        try:
            ends = [len(data)] * 6 + [data.find(b"\r\n\r\n") + 4, choose.randrange(len(data) + 1)]
            cut = choose.choice(ends)
            caller.sendall(data[:cut])
            if choose.random() < 0.1:
                now = struct.pack("ii", 1, 0)
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
                return None
            if cut < len(data):
                time.sleep(0.0005)
                caller.sendall(data[cut:])
            caller.shutdown(socket.SHUT_WR)
            return received(caller)
        except ConnectionError:
            return None


def test_what_is_said_on_a_wire_is_read_as_gunicorn_reads_it_and_finds_no_fault(
    app: Flask, settings: Settings
) -> None:
    choose = random.Random(9696)
    statuses: Counter[int] = Counter()
    wire = Wire(app)
    with own_worker(wire, settings) as worker:
        for case in range(CASES):
            data = conversation(choose)
            # One of its own, as a port may have been another caller's just before.
            address = f"127.1.{case // 250}.{case % 250 + 1}"
            answer = talk(worker, address, data, choose)
            asked = wire.asked.pop(address, [])
            expected = list(as_gunicorn(data, address))
            assert asked == expected[: len(asked)], data
            if answer is not None:
                found = [int(status) for status in ANSWER.findall(answer)]
                assert len(asked) == len(expected) or found[-1] in REFUSED, data
                statuses.update(found)
            assert worker.thread.is_alive(), (data, worker.fault)
        assert worker.talk(b"GET /health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200")
        assert (worker.in_flight, worker.buffered) == (0, 0)
    answered = {100, 200, 404, 405, 415, 422, 503}
    assert answered | (REFUSED - {431}) <= set(statuses)
    assert set(statuses) <= answered | REFUSED | {308}
