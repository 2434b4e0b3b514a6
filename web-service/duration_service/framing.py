"""Where a request ends among the bytes that came: RFC 9112, as far as it is needed to wait.

Whether its head is right is the business of gunicorn's parser, which reads it again; a head that
this module and the parser understand differently (two lengths, say) is refused there.
"""

import re
from typing import Final

from duration_service.limits import MOST_HEAD, Limits, RefusedError

HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
OLD: Final = re.compile(rb"[^\r]* HTTP/1\.0\r\n")
EXPECT: Final = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
CHUNK: Final = re.compile(rb"([0-9a-fA-F]{1,16})(?:[ \t]*;[^\r\n]*)?\r\n")
NO_CHUNK: Final = "The body says that it comes in chunks, and is no row of chunks."


class Framing:
    """How much of one request has come; asked again each time that more has."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        # Bytes of the head with its empty line; 0 while it is not all there.
        self.head = 0
        # The caller waits to be told to send the body.
        self.expects = False
        self._body = 0
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
        end = received.find(HEAD_END)
        if max(end, len(received) if end < 0 else 0) > MOST_HEAD:
            raise RefusedError(431, f"The head is larger than {MOST_HEAD:,} bytes.")
        if end < 0:
            return
        self.head = end + len(HEAD_END)
        head = received[: self.head]
        if CHUNKED.search(head):
            self._chunks = bytearray()
        elif length := LENGTH.search(head):
            self._body = int(length[1])
        self._check(self._body)
        # From a caller of HTTP/1.0 it means nothing (RFC 9110, 10.1.1), to gunicorn as well.
        while (expects := EXPECT.search(head)) and not OLD.match(head):
            # Answered by whoever waits for the body; gunicorn would do it when all has come.
            del received[expects.start() : expects.end()]
            self.head -= len(expects[0])
            head = received[: self.head]
            self.expects = len(received) == self.head
        self._next_chunk = self.head

    def _read_chunks(self, received: bytearray, chunks: bytearray) -> int | None:
        """The end of the last chunk and the trailers; goes on where it stopped the last time."""
        # An honest caller's chunks are larger than what frames them.
        self._check(len(received) - self.head - self.limits.most_body - MOST_HEAD)
        while line := CHUNK.match(received, self._next_chunk):
            size = int(line[1], 16)
            if not size:
                # After the trailers is an empty line; without them it follows at once.
                end = received.find(HEAD_END, line.end() - 2)
                return None if end < 0 else end + len(HEAD_END)
            self._check(len(chunks) + size)
            end = line.end() + size
            if len(received) < end + 2:
                return None
            if received[end : end + 2] != b"\r\n":
                raise RefusedError(400, NO_CHUNK)
            chunks += received[line.end() : end]
            self._next_chunk = end + 2
        if received.find(b"\r\n", self._next_chunk) >= 0:
            raise RefusedError(400, NO_CHUNK)
        return None

    def _check(self, body: int) -> None:
        if body > self.limits.most_body:
            raise RefusedError(413, self.limits.too_large())
