import contextlib
import re
import time

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from hypothesis import given, settings
from hypothesis import strategies as st

from duration_service.framing import MOST_CHUNK_LINE, Framing
from duration_service.limits import MOST_HEAD, Limits, RefusedError

LIMITS = Limits(most_body=1_000, most_waiting=1, seconds=1)
bodies = st.binary(max_size=300)


def fed(data: bytes, size: int) -> tuple[int | None, bytes]:
    """The length that is found when `data` comes in pieces of `size`, and the body."""
    framing, received = Framing(LIMITS), bytearray()
    for start in range(0, len(data), size):
        received += data[start : start + size]
        if length := framing.length(received):
            return length, framing.body(received)
    return None, b""


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x;a=b\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


@given(bodies, st.integers(1, 400))
def test_a_body_of_a_told_length_is_found_in_whatever_pieces_it_comes(
    body: bytes, size: int
) -> None:
    request = b"POST / HTTP/1.1\r\ncontent-LENGTH:  %d \r\n\r\n%s" % (len(body), body)
    assert fed(request, size) == (len(request), body)


@given(bodies, st.integers(1, 99), st.sampled_from([b"", b"X-Sum: 1\r\n"]), st.integers(1, 400))
def test_a_body_in_chunks_is_found_in_whatever_pieces_it_comes(
    body: bytes, chunk: int, trailers: bytes, size: int
) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = head + in_chunks(body, chunk) + b"0\r\n" + trailers + b"\r\n"
    assert fed(request, size) == (len(request), body)


@given(st.integers(0, 60))
def test_what_is_cut_off_is_not_whole(missing: int) -> None:
    request = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
    cut = request[: len(request) - missing]
    assert (fed(cut, 1)[0] is None) == (missing > 0)


def test_a_request_without_a_body_ends_with_its_head() -> None:
    request = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    assert fed(request + b"GET", 1_000) == (len(request), b"")


@pytest.mark.parametrize(
    "head", [b"GET /health HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\n\r", b"GET /\n"]
)
def test_lines_that_end_without_cr_are_refused_and_not_waited_for(head: bytes) -> None:
    with pytest.raises(RefusedError, match="CR and LF") as refused:
        Framing(LIMITS).length(bytearray(head))
    assert refused.value.status == 400


def test_a_line_whose_end_has_come_half_is_waited_for() -> None:
    assert fed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1)[0] is not None


@given(st.binary(max_size=200))
def test_chunks_of_any_bytes_are_whole_or_wait_or_are_refused(junk: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with contextlib.suppress(RefusedError):
        length = Framing(LIMITS).length(bytearray(head + junk))
        assert length is None or len(head) < length <= len(head + junk)


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"Content-Length: 1001\r\n\r\n", 413),
        (b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413),
        (b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n1\r\n" * 1_001, 413),
        (b"Transfer-Encoding: chunked\r\n\r\n0x1\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n1\r\n123\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * MOST_CHUNK_LINE, 400),
        (b"Transfer-Encoding: chunked\r\n\r\n" + b"1;%b\r\n1\r\n" % (b"x" * 240) * 200, 400),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * MOST_HEAD, 431),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\n\nGET / HTTP/1.1\r\n\r\n", 400),
        (b"X: " + b"x" * MOST_HEAD, 431),
        (b"Expect: more\r\nContent-Length: 9\r\n\r\n", 417),
        (b"Expect: 100-continue, more\r\nContent-Length: 9\r\n\r\n", 417),
        (b"Expect: more\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", 417),
        (b"Expect:\r\nTransfer-Encoding: chunked\r\n\r\n", 417),
        (b"Content-Length: x\r\n\r\n", 400),
        (b"Content-Length: \r\n\r\n", 400),
        (b"Content-Length: -1\r\n\r\n", 400),
        (b"Content-Length: 1, 1\r\n\r\n", 400),
        (b"Content-Length: 1" + b"0" * 18 + b"\r\n\r\n", 400),
        (b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        (b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"Transfer-Encoding: odd,\tChunked\r\n\r\n", 501),
        (b"Transfer-Encoding: gzip, chunked\r\nContent-Length: 1\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked,\r\n\r\n", 400),
        (b"Transfer-Encoding: \x0bchunked\r\n\r\n", 400),
        (b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (b"Transfer-Encoding: identity\r\n\r\n", 400),
    ],
)
def test_what_is_too_large_is_refused_as_soon_as_it_is_known(rest: bytes, status: int) -> None:
    with pytest.raises(RefusedError) as refused:
        Framing(LIMITS).length(bytearray(b"POST / HTTP/1.1\r\n" + rest))
    assert refused.value.status == status


def test_a_first_line_without_end_is_refused_as_too_long() -> None:
    with pytest.raises(RefusedError) as refused:
        Framing(LIMITS).length(bytearray(b"GET /" + b"x" * MOST_HEAD))
    assert refused.value.status == 414


@pytest.mark.parametrize(
    "first", [b"\x16\x03\x01\x00\xa5", b"\0", b"\n", b" GET", b"\xef\xbb\xbfGET"]
)
def test_what_begins_no_request_is_refused_at_once_and_https_named(first: bytes) -> None:
    with pytest.raises(RefusedError, match="Is it https") as refused:
        Framing(LIMITS).length(bytearray(first))
    assert refused.value.status == 400


@pytest.mark.parametrize("first", [b"", b"\r", b"G", b"get", b"!"])
def test_what_may_become_a_request_is_waited_for(first: bytes) -> None:
    assert Framing(LIMITS).length(bytearray(first)) is None


def test_a_wish_to_be_told_to_go_on_is_seen_and_taken_out() -> None:
    framing = Framing(LIMITS)
    received = bytearray(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert framing.length(received) is None
    assert framing.expects
    assert not re.search(b"expect", received, re.IGNORECASE)
    received += b"{}"
    assert framing.length(received) == len(received)
    assert framing.body(received) == b"{}"


@pytest.mark.parametrize(
    "wish", [b"Expect:100-continue", b"eXPECT: \t100-Continue \t", b"EXPECT:  100-CONTINUE"]
)
def test_a_wish_to_be_told_to_go_on_may_be_written_in_any_way(wish: bytes) -> None:
    framing = Framing(LIMITS)
    received = bytearray(b"POST / HTTP/1.1\r\n%b\r\nContent-Length: 2\r\n\r\n" % wish)
    assert framing.length(received) is None
    assert framing.expects
    assert received == b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize("wish", [b"100-continue", b"more", b""])
def test_whatever_a_caller_of_http_1_0_expects_means_nothing(wish: bytes) -> None:
    framing = Framing(LIMITS)
    received = bytearray(b"POST / HTTP/1.0\r\nExpect: %b\r\nContent-Length: 2\r\n\r\n" % wish)
    assert framing.length(received) is None
    assert not framing.expects
    assert received == b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    "first",
    [
        b"X: " + b"x" * (MOST_HEAD - 1_000),
        b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 200,
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * (MOST_HEAD - 1_000),
    ],
    ids=["head", "chunk line", "trailers"],
)
def test_what_comes_byte_by_byte_is_not_read_anew_for_each_of_them(first: bytes) -> None:
    framing, received = Framing(LIMITS), bytearray(b"POST / HTTP/1.1\r\n" + first)
    assert framing.length(received) is None
    began = time.process_time()
    for _ in range(50):
        received += b"x"
        assert framing.length(received) is None
    assert (time.process_time() - began) / 50 < 0.001


SPACES = b" \t" * (MOST_HEAD // 2 - 500)


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length:" + SPACES + b"\rx",
        b"Content-Length: 1" + SPACES + b"1",
        b"Transfer-Encoding: a" + SPACES + b"a",
        b"Expect:" + SPACES + b"\rx",
        b"\r\n".join([b"Expect:"] * (MOST_HEAD // 10)),
    ],
    ids=["no value", "two lengths", "two codings", "no wish", "many wishes"],
)
def test_no_line_of_a_head_takes_long_to_read(line: bytes) -> None:
    received = bytearray(b"POST / HTTP/1.0\r\n%b\r\n\r\n" % line)
    assert len(received) <= MOST_HEAD
    began = time.process_time()
    with contextlib.suppress(RefusedError):
        Framing(LIMITS).length(received)
    assert time.process_time() - began < 0.05


NAMES = (
    b"Content-Length",
    b"content-length",
    b"CONTENT_LENGTH",
    b"Content-Length ",
    b"Host",
    b"Te",
)
CODINGS = (b"Transfer-Encoding", b"transfer-encoding", b"Transfer_Encoding", b" Transfer-Encoding")
NUMBERS = (
    b"0",
    b"5",
    b"31",
    b"0" * 20 + b"31",
    b"0" * 17 + b"5",
    b"9" * 19,
    b"\xb2",
    b"1_0",
    b"0x5",
)
VALUES = (*NUMBERS, b"+5", b"-5", b"5,5", b"5 5", b"", b"5\n", b"5\r", b"\t5\t", b"5\x00", b"5\x0b")
CODED = (b"chunked", b"Chunked", b" chunked ", b"identity", b"gzip", b"gzip, chunked", b"chunked,")
lines = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)),
    st.tuples(
        st.sampled_from(CODINGS), st.sampled_from((*CODED, b"\x0bchunked", b"xchunked", b""))
    ),
    st.tuples(st.just(b"Expect"), st.sampled_from((b"100-continue", b"100-Continue ", b"more"))),
    st.tuples(
        st.just(b"X"), st.sampled_from((b"a", b"a\r\n Content-Length: 5", b"\nContent-Length: 5"))
    ),
)
heads = st.builds(
    lambda version, fields, colon: (
        b"POST / HTTP/%b\r\n%b\r\n"
        % (version, b"".join(b"%b%b%b\r\n" % (name, colon, value) for name, value in fields))
    ),
    st.sampled_from((b"1.0", b"1.1", b"1.2")),
    st.lists(lines, max_size=4),
    st.sampled_from((b":", b": ", b" : ", b":\t")),
)
chunks = st.sampled_from(
    (
        *(b"0\r\n\r\n", b"5\r\nabcde\r\n0\r\n\r\n", b"05;a=b\r\nabcde\r\n00\r\nX: y\r\n\r\n"),
        *(
            b"5 ;a\r\nabcde\r\n0 \r\n\r\n",
            b"5\nabcde\n0\n\n",
            b"5\r\nabcdef\r\n0\r\n\r\n",
            b"+1\r\na",
        ),
        *(b"5;\rx\r\nabcde\r\n0\r\n\r\n", b"0x1\r\na\r\n0\r\n\r\n", b"\r\n", b"0\r\nX\r\n\r\n"),
    )
)
CONFIGURATION = Config()
INNER = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"


def as_gunicorn(data: bytes) -> tuple[int, bytes] | None:
    """How many bytes gunicorn takes for the first request, and its body; None: it refuses it."""
    try:
        request = next(parser := RequestParser(CONFIGURATION, iter([data]), ("127.0.0.1", 1)))
        body = request.body.read()
    except (ParseException, OSError):
        return None
    assert isinstance(request, Request)
    return len(data) - len(parser.unreader.take_buffered()), body


@pytest.mark.slow
@settings(max_examples=max(1_000, settings().max_examples), deadline=None)
@given(heads, st.one_of(chunks, st.just(b"x" * 31)), st.integers(1, 200))
def test_gunicorn_never_takes_another_part_for_a_request_than_the_framing_does(
    head: bytes, body: bytes, size: int
) -> None:
    data = head + body + INNER
    try:
        length, found = fed(data, size)
    except RefusedError:
        return
    as_read = as_gunicorn(data)
    if as_read and length:
        wish = len(data) - len(without_wish(data))
        assert (length + wish, found) == as_read
    elif as_read:
        # The framing waits for a body of which gunicorn takes what there is.
        assert len(as_read[1]) >= len(body)


def without_wish(data: bytes) -> bytes:
    return re.sub(rb"\r\nexpect:[^\r\n]*(?=\r\n)", b"", data, flags=re.IGNORECASE)
