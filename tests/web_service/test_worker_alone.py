"""What one connection does to the loop that serves them all: nothing."""

import errno
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from flask import Flask

from duration_service.balance import COUNTS
from duration_service.limits import Limits
from duration_service.worker import STOP_SECONDS, Worker
from taxi_duration.settings import Settings
from web_service.own_worker import OwnWorker, own_worker, received
from web_service.test_process import until

HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
WAITS = (
    b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
    b"Connection: close\r\n\r\n"
)


@pytest.fixture
def worker(app: Flask, settings: Settings) -> Iterator[OwnWorker]:
    with own_worker(app, settings) as running:
        yield running


def test_a_caller_that_leaves_before_it_is_told_to_go_on_ends_itself_alone(
    worker: OwnWorker,
) -> None:
    for _ in range(5):
        worker.connect(HEALTH + WAITS).close()
    assert worker.talk(LAST).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("wish", [b"more", b"100-continue, more", b"100-continue;q=1"])
def test_a_caller_that_expects_something_else_is_refused_before_it_sends_the_body(
    worker: OwnWorker, wish: bytes
) -> None:
    keeps = WAITS.replace(b"Connection: close\r\n", b"").replace(b"100-continue", wish)
    with worker.connect(keeps) as caller:
        answer = received(caller)
    assert answer.startswith(b"HTTP/1.1 417 Expectation Failed")
    assert b"Connection: close" in answer


def test_a_caller_of_http_1_0_may_expect_what_it_likes(worker: OwnWorker) -> None:
    old = WAITS.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"100-continue", b"more")
    assert worker.talk(old + b"{}").startswith(b"HTTP/1.0 200 OK")


def test_a_caller_of_http_1_0_is_not_told_to_go_on(worker: OwnWorker) -> None:
    with worker.connect(WAITS.replace(b"HTTP/1.1", b"HTTP/1.0")) as caller:
        caller.settimeout(0.2)
        with pytest.raises(TimeoutError):
            caller.recv(1)
        caller.settimeout(10)
        caller.sendall(b"{}")
        assert received(caller).startswith(b"HTTP/1.0 200 OK")


@pytest.mark.slow
@pytest.mark.parametrize("error", [OSError(errno.EPROTO, "from the network"), ValueError("bug")])
@pytest.mark.parametrize("name", ["_settle", "_advance", "handle", "_watch"])
def test_whatever_fails_for_one_connection_ends_no_other(
    worker: OwnWorker, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception
) -> None:
    """The fault is where a thread hands back, in the loop, or when the connection is taken."""
    whole = getattr(Worker, name)

    def fail_once(*arguments: Any) -> Any:
        monkeypatch.setattr(Worker, name, whole)
        raise error

    with worker.connect() as other:
        time.sleep(0.1)
        monkeypatch.setattr(Worker, name, fail_once)
        with worker.connect() as caller:
            time.sleep(0.1)
            # Answered or not, it is at its end.
            with suppress(ConnectionError):
                caller.sendall(HEALTH)
                received(caller)
        other.sendall(LAST)
        assert received(other).startswith(b"HTTP/1.1 200 OK")
    assert worker.in_flight == 0


@pytest.mark.parametrize(
    "fault", [errno.EPROTO, errno.ENETDOWN, errno.EPERM, errno.ENOBUFS, errno.EMFILE]
)
def test_a_connection_that_cannot_be_taken_is_left(worker: OwnWorker, fault: int) -> None:
    def accept() -> None:
        raise OSError(fault, "from the network")

    broken: Any = SimpleNamespace(accept=accept)
    assert worker.accept(broken) is False


def test_a_connection_that_others_should_take_and_do_not_is_answered(worker: OwnWorker) -> None:
    COUNTS.tell(worker.age + 1, 0)
    try:
        with ExitStack() as opened:
            for _ in range(20):
                opened.enter_context(worker.connect())
            assert worker.talk(LAST).startswith(b"HTTP/1.1 200 OK")
            assert worker.nr_conns >= 20
    finally:
        COUNTS.leave(worker.age + 1)


def answered(caller: socket.socket) -> bytes:
    """The next answer on a connection that is kept."""
    answer = b""
    while not answer.endswith(b"}"):
        answer += caller.recv(65_536)
    return answer


def test_connections_that_another_process_should_have_end_with_an_answer(
    worker: OwnWorker,
) -> None:
    with ExitStack() as opened:
        callers = [opened.enter_context(worker.connect(HEALTH)) for _ in range(6)]
        assert not any(b"Connection: close" in answered(caller) for caller in callers)
        COUNTS.tell(worker.age + 1, 0)
        try:
            until(lambda: worker.excess == 3)
            COUNTS.tell(worker.age + 1, 3)  # it takes what comes again
            for caller in callers:
                caller.sendall(HEALTH)
            ended = [b"Connection: close" in answered(caller) for caller in callers]
        finally:
            COUNTS.leave(worker.age + 1)
        assert sum(ended) == 3
        for caller, end in zip(callers, ended, strict=True):
            if end:
                assert caller.recv(1) == b""
            else:
                caller.sendall(HEALTH)
                assert answered(caller).startswith(b"HTTP/1.1 200 OK")


def test_a_connection_on_which_more_has_come_is_not_ended_before_it_is_answered(
    worker: OwnWorker,
) -> None:
    with ExitStack() as opened:
        callers = [opened.enter_context(worker.connect(HEALTH)) for _ in range(2)]
        for caller in callers:
            answered(caller)
        COUNTS.tell(worker.age + 1, 0)
        try:
            until(lambda: worker.excess == 1)
            callers[0].sendall(HEALTH * 5)
            callers[0].shutdown(socket.SHUT_WR)
            assert received(callers[0]).count(b"HTTP/1.1 200 OK") == 5
        finally:
            COUNTS.leave(worker.age + 1)


def test_empty_lines_do_not_count_in_what_is_kept(app: Flask, settings: Settings) -> None:
    limits = Limits(most_body=1_000, most_waiting=8, seconds=10, most_buffered=10_000)
    with own_worker(app, settings, limits) as worker, worker.connect() as silly:
        for _ in range(10):
            silly.sendall(b"\r\n" * 1_000)
            time.sleep(0.02)
        assert worker.talk(LAST).startswith(b"HTTP/1.1 200 OK")
        silly.sendall(LAST)
        silly.shutdown(socket.SHUT_WR)
        assert received(silly).startswith(b"HTTP/1.1 200 OK")


def test_empty_lines_that_are_thrown_away_take_no_room_from_others(
    app: Flask, settings: Settings
) -> None:
    limits = Limits(most_body=1_000, most_waiting=8, seconds=10, most_buffered=10_000)
    with own_worker(app, settings, limits) as worker, ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(worker.connect(b"\r\n" * 2_000))
        time.sleep(0.1)
        assert worker.buffered == 0
        assert worker.talk(LAST).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.slow
def test_a_caller_that_sends_nothing_but_empty_lines_is_not_kept(
    app: Flask, settings: Settings
) -> None:
    limits = Limits(most_body=1_000, most_waiting=8, seconds=0.4)
    with own_worker(app, settings, limits) as worker, worker.connect() as silly:
        for _ in range(30):
            with suppress(ConnectionError):
                silly.sendall(b"\r\n")
            time.sleep(0.05)
        assert worker.nr_conns == 0


def test_a_body_is_not_kept_when_its_request_was_answered(app: Flask, settings: Settings) -> None:
    size = Limits.of(settings).most_body
    request = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
    with own_worker(app, settings) as worker, ExitStack() as opened:
        assert worker.talk(WAITS + b"{}").endswith(b"}")  # what is made only once
        tracemalloc.start()
        try:
            for _ in range(5):
                caller = opened.enter_context(worker.connect(request + b" " * size))
                assert caller.recv(65_536).startswith(b"HTTP/1.1 400")
            time.sleep(0.1)
            assert worker.nr_conns == 5
            assert tracemalloc.get_traced_memory()[0] < size
        finally:
            tracemalloc.stop()


def test_an_answer_that_fails_half_way_ends_its_connection_and_nothing_else(
    app: Flask, settings: Settings
) -> None:
    """gunicorn closes the connection then, short requests in the loop that watches it."""

    def parts(start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"begun"
        raise ValueError("half way")

    def fails(environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "POST":
            return parts(start_response)
        return app.wsgi_app(environ, start_response)

    short = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    told: list[str] = []
    with own_worker(fails, settings) as worker:
        for way in ("exception", "error"):
            setattr(worker.log, way, lambda text, *_, **__: told.append(text))
        for request in (short, short.replace(b"/predict", b"/threads"), short):
            with worker.connect(request) as caller:
                assert b"\r\n0\r\n" not in received(caller)
        assert worker.talk(LAST).startswith(b"HTTP/1.1 200 OK")
        time.sleep(0.1)
        assert (worker.nr_conns, worker.in_flight, len(worker.watched)) == (0, 0, 0)
        # The poller's: the listener and the queue of what threads hand back.
        assert len(worker.poller.get_map()) == 2
    assert told == ["Error handling request"] * 3


@pytest.mark.parametrize(("trips", "in_loop"), [(16, True), (17, False), (170, False)])
def test_the_loop_itself_answers_for_a_few_trips_only(
    settings: Settings, trips: int, in_loop: bool
) -> None:
    answered_by: list[threading.Thread] = []

    def application(_environ: Any, start_response: Any) -> list[bytes]:
        answered_by.append(threading.current_thread())
        start_response("200 OK", [("Content-Length", "0")])
        return []

    body = b"[" + b",".join([b"{}"] * trips) + b"]"
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    with own_worker(application, settings) as worker:
        assert worker.talk(head + body).startswith(b"HTTP/1.1 200 OK")
        assert [thread is worker.thread for thread in answered_by] == [in_loop]


MUCH = 32 * 1024 * 1024


def much(environ: Any, start_response: Any) -> list[bytes]:
    """An answer that no system keeps for a caller who does not take it."""
    start_response("200 OK", [("Content-Length", str(MUCH))])
    return [bytes(MUCH)]


@pytest.mark.slow
def test_a_caller_that_does_not_take_its_answer_in_time_is_not_told_that_it_was_slow_to_ask(
    settings: Settings,
) -> None:
    limits = Limits(most_body=1_000, most_waiting=8, seconds=0.5)
    with own_worker(much, settings, limits) as worker:
        refused: list[int] = []
        worker.observations = SimpleNamespace(refused=refused.append)
        with worker.connect(HEALTH * 2) as slow:
            slow.recv(1)
            end = time.monotonic() + 8
            while worker.nr_conns:
                assert time.monotonic() < end
                time.sleep(0.05)
        assert refused == []


def test_answers_that_nobody_takes_are_kept_up_to_a_bound(settings: Settings) -> None:
    limits = Limits(most_body=1_000, most_waiting=8, seconds=10, most_untaken=2 * MUCH)
    with own_worker(much, settings, limits) as worker, ExitStack() as opened:
        slow = []
        for _ in range(5):
            slow.append(opened.enter_context(worker.connect(HEALTH)))
            slow[-1].recv(1)
        until(lambda: worker.untaken <= limits.most_untaken and worker.nr_conns < len(slow))
        assert worker.untaken > MUCH
        assert len(received(slow[0])) < MUCH, "who waited longest is left with a part"
        slow[-1].shutdown(socket.SHUT_WR)
        assert len(received(slow[-1])) > MUCH
        for caller in slow:
            caller.close()
        until(lambda: not worker.nr_conns)
        assert worker.untaken == 0


def test_an_answer_that_is_larger_than_the_bound_is_kept_for_its_caller(
    settings: Settings,
) -> None:
    limits = Limits(most_body=1_000, most_waiting=8, seconds=10, most_untaken=1)
    with own_worker(much, settings, limits) as worker, worker.connect(LAST) as caller:
        time.sleep(0.2)
        assert len(received(caller)) > MUCH


@pytest.mark.slow
def test_a_stop_waits_for_a_caller_that_takes_its_answer_slowly(settings: Settings) -> None:
    def take(slow: socket.socket) -> int:
        time.sleep(2 * STOP_SECONDS)
        return len(received(slow))

    with ThreadPoolExecutor() as pool:
        with own_worker(much, settings) as worker:
            slow = worker.connect(HEALTH)
            slow.recv(1)
            taken = pool.submit(take, slow)
        with slow:
            assert taken.result() > MUCH


@pytest.mark.parametrize("asked", [b"GET /slow", b"POST /slow", b"PUT /predict"])
def test_a_small_body_does_not_let_a_slow_page_hold_the_others_up(
    app: Flask, settings: Settings, asked: bytes
) -> None:
    go_on = threading.Event()

    def slow(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/health":
            go_on.wait(10)
        return app.wsgi_app(environ, start_response)

    request = b"%b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx" % asked
    with own_worker(slow, settings) as worker, worker.connect(request) as waits:
        try:
            time.sleep(0.1)
            with worker.connect(LAST) as other:
                other.settimeout(3)
                assert received(other).startswith(b"HTTP/1.1 200 OK")
        finally:
            go_on.set()
        assert received(waits).startswith(b"HTTP/1.1 40")


@pytest.mark.parametrize(
    ("target", "fields", "status"),
    [
        (b"/" + b"x" * 4_080, b"", 404),  # a line of 4,094 bytes
        (b"/" + b"x" * 4_081, b"", 414),
        (b"/" + b"x" * 40_000, b"", 414),
        (b"/health", b"Expect: 100-continue\r\n", 200),
        (b"/health", b"Expect: more\r\n", 417),
        (b"/health", b"Expect: 100-continue, more\r\n", 417),
        (b"/health", b"X: " + b"x" * 8_185 + b"\r\n", 200),
        (b"/health", b"X: " + b"x" * 8_186 + b"\r\n", 431),
        (b"/health", b"X: x\r\n" * 98, 200),  # and Host, and Connection
        (b"/health", b"X: x\r\n" * 99, 431),
        (b"/health", b"Transfer-Encoding: gzip, chunked\r\n", 501),
        (b"/health", b"Transfer-Encoding: gzip\r\n", 400),
        (b"/health", b"No colon\r\n", 400),
    ],
)
def test_what_is_refused_gets_its_own_status_and_a_problem(
    worker: OwnWorker, target: bytes, fields: bytes, status: int
) -> None:
    request = b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%b\r\n" % (target, fields)
    head, _, body = worker.talk(request).partition(b"\r\n\r\n")
    assert head.split()[1] == b"%d" % status
    assert head.count(b"\r\nDate: ") == 1
    if status != 200:
        assert b"Content-Type: application/problem+json" in head
        assert msgspec.json.decode(body)["status"] == status


@pytest.mark.parametrize(
    ("version", "status"),
    [
        (b"HTTP/2.0", 505),
        (b"HTTP/3.0", 505),
        (b"HTTP/0.9", 505),
        (b"HTTP/2", 400),
        (b"HTTP/11.1", 400),
        (b"ICY", 400),
        (b"HTTP/1.1 HTTP/1.1", 400),
        (b"HTTP/1.2", 200),
    ],
)
def test_another_version_of_http_is_told_apart_from_what_is_none(
    worker: OwnWorker, version: bytes, status: int
) -> None:
    request = b"GET /health %b\r\nHost: a\r\nConnection: close\r\n\r\n" % version
    head, _, body = worker.talk(request).partition(b"\r\n\r\n")
    assert head.split()[1] == b"%d" % status
    if status != 200:
        problem = msgspec.json.decode(body)
        assert (problem["status"], problem["detail"][:27]) == (
            status,
            "The request is not HTTP/1.1",
        )


@pytest.mark.parametrize(
    "fields",
    [
        b"Connection: close",
        b"Connection: TE, close",
        b"Connection: Close,\tTE",
        b"Connection: keep-alive\r\nConnection: close",
    ],
)
def test_a_caller_that_asks_for_the_end_of_the_connection_gets_it(
    worker: OwnWorker, fields: bytes
) -> None:
    with worker.connect(b"GET /health HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n" % fields) as caller:
        caller.settimeout(3)
        assert b"\r\nConnection: close\r\n" in received(caller)


def test_a_body_of_the_most_bytes_is_answered_in_chunks_as_with_its_length(
    app: Flask, settings: Settings
) -> None:
    most = Limits.of(settings).most_body
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    body = b"{}" + b" " * (most - 2)
    chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    with own_worker(app, settings) as worker:
        for data, status in [
            (head + b"Content-Length: %d\r\n\r\n%b" % (most, body), b"200"),
            (head + chunked % (most, body), b"200"),
            (head + b"Content-Length: %d\r\n\r\n" % (most + 1), b"413"),
            (head + chunked % (most + 1, body + b" "), b"413"),
        ]:
            with worker.connect() as caller:
                with suppress(ConnectionError):
                    caller.sendall(data)
                assert caller.recv(65_536).split()[1] == status
