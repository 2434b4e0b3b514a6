"""Where a request ends among the bytes that came: RFC 9112, as far as it is needed to wait.

Whether its head is right is the business of gunicorn's parser, which reads it again and ends the
connection where it is not. What says how long the body is, both have to read alike, or a caller
could hide a request in the body of another one: what is not plain is refused here.
"""

import re
from typing import Final

from duration_service.limits import MOST_HEAD, Limits, RefusedError

HEAD_END: Final = b"\r\n\r\n"
# A method, or half of the empty line before one. What TLS begins with never gets to an end.
BEGINNING: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z\r-]")
BARE_END: Final = re.compile(rb"(?<!\r)\n")
# What a head says of its body, a line each. Spaces around a value are taken off afterwards: where
# an expression may share them out in many ways, a line of a kilobyte holds the process for seconds.
FRAMING: Final = re.compile(
    rb"\r\n(content-length|transfer-encoding|expect):([^\r\n]*)(?=\r\n)", re.IGNORECASE
)
LENGTH: Final = re.compile(rb"0*([0-9]{1,18})")
EXPECT: Final = re.compile(rb"\r\nexpect:[^\r\n]*(?=\r\n)", re.IGNORECASE)
TO_GO_ON: Final = b"100-continue"
OLD: Final = re.compile(rb"[^\r]* HTTP/1\.0\r\n")
CHUNK: Final = re.compile(rb"([0-9a-fA-F]{1,16})(?:[ \t]*;[^\r\n]*)?\r\n")
# A size takes 16 bytes at most; extensions, which nobody uses, get what is left.
MOST_CHUNK_LINE: Final = 256
TRAILERS: Final = re.compile(
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n"
)
# Chunks may bring a byte of frame for each 32 bytes of the largest body, which is room for each
# trip of the longest list in its own, besides what a head may have. Reading them takes 20 ms then.
BODY_PER_FRAME: Final = 32
NO_REQUEST: Final = "The request is not HTTP/1.1: no method begins it. Is it https? Ask by http."
BARE_LINE: Final = "The lines of a head end with CR and LF; here is one that has no CR."
NO_LENGTH: Final = "The length of the body has to be told once: Content-Length with a number."
LONG_LINE: Final = "The request's first line, which has the URL, is too long."
NO_CODING: Final = "A body may come in chunks, and in no other coding; it then tells no length."
NO_EXPECTATION: Final = "Nothing can be expected but 100-continue. Leave the header Expect out."
NO_CHUNK: Final = "The body says that it comes in chunks, and is no row of chunks."
SMALL_CHUNKS: Final = "The body comes in too many small chunks. Send larger ones, or its length."


class Framing:
    """How much of one request has come; asked again each time that more has."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        # Bytes of the head with its empty line; 0 while it is not all there.
        self.head = 0
        # The caller waits to be told to send the body.
        self.expects = False
        self._body = 0
        # How much of what came was looked through in vain for the end of the head or the trailers.
        self._seen = 0
        # Where a body in chunks is to be read on, and what it has brought.
        self._next_chunk = 0
        self._chunks: bytearray | None = None

    def length(self, received: bytearray) -> int | None:
        """Bytes of the whole request, None while some are missing.

        Raises RefusedError where its head or its body is larger than allowed.
        """
        if not self.head:
            self._read_head(received)
        if not self.head:
            return None
        if self._chunks is not None:
            return self._read_chunks(received, self._chunks)
        whole = self.head + self._body
        return whole if len(received) >= whole else None

    def body(self, received: bytearray) -> bytes:
        """The body of a request that came whole."""
        if self._chunks is not None:
            return bytes(self._chunks)
        return bytes(received[self.head : self.head + self._body])

    def _read_head(self, received: bytearray) -> None:
        seen = self._seen
        end = self._end(received, 0)
        if end < 0:
            _check_beginning(received, seen)
            return
        if end > MOST_HEAD:
            raise _large_head(received)
        self.head = end + len(HEAD_END)
        length = coding = None
        expected: list[bytes] = []
        for name, padded in FRAMING.findall(received, 0, self.head):
            value = padded.strip(b" \t")
            if len(name) == len(b"expect"):
                expected.append(value)
            elif coding is not None or (length is not None and len(name) == len(b"content-length")):
                raise RefusedError(400, NO_LENGTH if coding is None else NO_CODING)
            elif len(name) == len(b"content-length"):
                length = value
            else:
                coding = value
        if coding is not None:
            self._expect_chunks(coding, length)
        elif length is not None:
            self._expect_bytes(length)
        if expected:
            self._expect_to_be_told(received, expected)
        self._next_chunk = self.head

    def _expect_chunks(self, coding: bytes, length: bytes | None) -> None:
        """Expect chunks, which are no body of another coding (RFC 9112, 6.1 and 6.3).

        Without chunks as the last coding nobody knows where the body ends, which is 400; with them
        it is only not understood, which is 501.
        """
        *others, last = (one.strip(b" \t") for one in coding.lower().split(b","))
        if length is not None or last != b"chunked" or last in others:
            raise RefusedError(400, NO_CODING)
        if others:
            raise RefusedError(501, NO_CODING)
        self._chunks = bytearray()

    def _expect_bytes(self, told: bytes) -> None:
        length = LENGTH.fullmatch(told)
        if not length:
            raise RefusedError(400, NO_LENGTH)
        self._body = int(length[1])
        self._check(self._body)

    def _expect_to_be_told(self, received: bytearray, expected: list[bytes]) -> None:
        """Take out the wish to be told to send the body; nothing else is to be expected.

        Whoever waits for the body answers it; gunicorn would do it when all has come, and refuse
        other wishes no sooner. From a caller of HTTP/1.0, which knows no such header, it means
        nothing (RFC 9110, 10.1.1).
        """
        old = OLD.match(received) is not None
        if not old and any(wish.lower() != TO_GO_ON for wish in expected):
            raise RefusedError(417, NO_EXPECTATION)
        head = EXPECT.sub(b"", received[: self.head])
        received[: self.head] = head
        self.head = len(head)
        self.expects = not old and len(received) == self.head

    def _read_chunks(self, received: bytearray, chunks: bytearray) -> int | None:
        """The end of the last chunk and the trailers; goes on where it stopped the last time."""
        most_frame = self.limits.most_body // BODY_PER_FRAME + MOST_HEAD
        while line := CHUNK.match(received, self._next_chunk, self._next_chunk + MOST_CHUNK_LINE):
            size, start = int(line[1], 16), line.end()
            if not size:
                return self._read_trailers(received, start)
            self._check(len(chunks) + size)
            if start - self.head - len(chunks) > most_frame:
                raise RefusedError(400, SMALL_CHUNKS)
            end = start + size
            if len(received) < end + 2:
                return None
            if received[end : end + 2] != b"\r\n":
                raise RefusedError(400, NO_CHUNK)
            chunks += received[start:end]
            self._next_chunk = end + 2
        began = len(received) - self._next_chunk
        if began >= MOST_CHUNK_LINE or received.find(b"\r\n", self._next_chunk) >= 0:
            raise RefusedError(400, NO_CHUNK)
        return None

    def _read_trailers(self, received: bytearray, start: int) -> int | None:
        # After the trailers is an empty line; without them it follows at once.
        end = self._end(received, start - 2)
        if max(end, len(received) if end < 0 else 0) - start > MOST_HEAD:
            raise RefusedError(431, f"The trailers are larger than {MOST_HEAD:,} bytes.")
        if end < 0:
            return None
        end += len(HEAD_END)
        # Who reads a line's end in what is none would take the rest for another request.
        if not TRAILERS.fullmatch(received, start, end):
            raise RefusedError(400, NO_CHUNK)
        return end

    def _end(self, received: bytearray, start: int) -> int:
        """Where the empty line is that ends what began at `start`, -1 where it has not come."""
        end = received.find(HEAD_END, max(start, self._seen - len(HEAD_END)))
        self._seen = len(received) if end < 0 else 0
        return end

    def _check(self, body: int) -> None:
        if body > self.limits.most_body:
            raise RefusedError(413, self.limits.too_large())


def _check_beginning(received: bytearray, seen: int) -> None:
    """Refuse what no head can begin with any more, however much is still to come.

    The first `seen` bytes were looked through before.
    """
    if received and not BEGINNING.match(received):
        raise RefusedError(400, NO_REQUEST)
    # It would not end before the time that a request has is over.
    if BARE_END.search(received, seen):
        raise RefusedError(400, BARE_LINE)
    if len(received) > MOST_HEAD:
        raise _large_head(received)


def _large_head(received: bytearray) -> RefusedError:
    if received.find(b"\r\n", 0, MOST_HEAD) < 0:
        return RefusedError(414, LONG_LINE)
    return RefusedError(431, f"The head is larger than {MOST_HEAD:,} bytes.")
