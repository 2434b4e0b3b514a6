import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duration_service.framing import Framing
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
        (b"X: " + b"x" * MOST_HEAD, 431),
    ],
)
def test_what_is_too_large_is_refused_as_soon_as_it_is_known(rest: bytes, status: int) -> None:
    with pytest.raises(RefusedError) as refused:
        Framing(LIMITS).length(bytearray(b"POST / HTTP/1.1\r\n" + rest))
    assert refused.value.status == status


def test_a_wish_to_be_told_to_go_on_is_seen_and_taken_out() -> None:
    framing = Framing(LIMITS)
    received = bytearray(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert framing.length(received) is None
    assert framing.expects
    assert not re.search(b"expect", received, re.IGNORECASE)
    received += b"{}"
    assert framing.length(received) == len(received)
    assert framing.body(received) == b"{}"
