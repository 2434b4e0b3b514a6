import gc
import tracemalloc
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidHeader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from duration_service import heads
from duration_service.heads import LONGEST_KEPT, MOST_KEPT, Heads, NoHostError

HERE = ("127.0.0.1", 50_000)
ELSEWHERE = ("10.0.0.1", 50_000)
HEAD = b"POST /predict?a=1 HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The heads that gunicorn's parser was given."""
    given: list[bytes] = []

    def parser(cfg: Any, source: list[bytes], client: Any) -> RequestParser:
        given.extend(source)
        return RequestParser(cfg, source, client)

    monkeypatch.setattr(heads, "RequestParser", parser)
    return given


def seen(request: Any) -> dict[str, Any]:
    """What an answer can hang on."""
    names = ("method", "uri", "path", "query", "version", "headers", "scheme", "trailers")
    return {name: getattr(request, name) for name in names} | {"closes": request.should_close()}


@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET /%41?b HTTP/1.1\r\nHost: c\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_head_that_came_before_is_read_as_gunicorn_reads_it(head: bytes) -> None:
    expected = seen(next(RequestParser(Config(), [head], HERE)))
    reader = Heads(Config())
    assert [seen(reader.request(head, HERE, b"")) for _ in range(3)] == [expected] * 3


def test_a_request_names_its_host_but_for_one_of_http_1_0() -> None:
    reader = Heads(Config())
    with pytest.raises(NoHostError, match="name its host"):
        reader.request(b"GET / HTTP/1.1\r\n\r\n", HERE, b"")
    assert reader.request(b"GET / HTTP/1.0\r\n\r\n", HERE, b"").path == "/"


def test_a_head_is_parsed_once(parsed: list[bytes]) -> None:
    reader = Heads(Config())
    for port in (50_000, 50_001):
        reader.request(HEAD, ("127.0.0.1", port), b"")
    assert parsed == [HEAD]


def test_each_request_has_its_own_body() -> None:
    reader = Heads(Config())
    first, second = (reader.request(HEAD, HERE, body) for body in (b"{}", b"[]"))
    assert (first.body.read(), second.body.read()) == (b"{}", b"[]")


def test_what_one_request_is_told_no_other_one_is() -> None:
    reader = Heads(Config())
    reader.request(HEAD, HERE, b"").force_close()
    assert not reader.request(HEAD, HERE, b"").should_close()


def test_one_host_is_not_believed_what_another_one_is() -> None:
    configuration = Config()
    configuration.set("forwarded_allow_ips", HERE[0])
    reader = Heads(configuration)
    head = HEAD[:-2] + b"X-Forwarded-Proto: https\r\n\r\n"
    schemes = [reader.request(head, client, b"").scheme for client in (HERE, ELSEWHERE, HERE)]
    assert schemes == ["https", "http", "https"]


def test_a_caller_at_a_socket_of_this_machine_has_no_host() -> None:
    assert Heads(Config()).request(HEAD, "", b"").path == "/predict"


def test_a_head_that_is_refused_is_refused_each_time() -> None:
    reader = Heads(Config())
    for _ in range(2):
        with pytest.raises(InvalidHeader):
            reader.request(HEAD[:-2] + b"Host: c\r\n\r\n", HERE, b"")


def test_long_heads_are_not_kept_and_of_others_not_too_many(parsed: list[bytes]) -> None:
    reader = Heads(Config())
    long = HEAD[:-2] + b"X: " + LONGEST_KEPT * b"y" + b"\r\n\r\n"
    others = [HEAD.replace(b"a=1", b"a=%d" % (n + 2)) for n in range(MOST_KEPT)]
    for head in (long, long, HEAD, *others, HEAD):
        reader.request(head, HERE, b"")
    assert parsed.count(long) == parsed.count(HEAD) == 2


def requests() -> int:
    return sum(isinstance(one, Request) for one in gc.get_objects())


def test_heads_that_are_not_kept_are_freed_without_the_collector_of_garbage() -> None:
    reader = Heads(Config())
    fields = b"Host: b\r\nTransfer-Encoding: chunked\r\nX: " + LONGEST_KEPT * b"y"
    long = b"POST /predict HTTP/1.1\r\n%b\r\n\r\n" % fields
    gc.collect()
    gc.disable()
    try:
        before = requests()
        reader.request(long, HERE, b"")
        assert requests() == before
    finally:
        gc.enable()


def test_heads_that_are_kept_stay_small_whatever_is_in_them() -> None:
    reader = Heads(Config())
    fields = b"".join(b"X%02d:abc\r\n" % number for number in range(97))
    tracemalloc.start()
    try:
        for number in range(50):
            head = b"GET /%04d HTTP/1.1\r\nHost: b\r\n%b\r\n" % (number, fields)
            assert len(head) <= LONGEST_KEPT
            reader.request(head, HERE, b"")
        assert tracemalloc.get_traced_memory()[0] / 50 * MOST_KEPT < 12e6
    finally:
        tracemalloc.stop()
