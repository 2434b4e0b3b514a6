"""A connection whose bytes are read and written without anybody waiting for them."""

import contextlib
import re
import socket
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import TConn

from duration_service.framing import Framing
from duration_service.heads import Heads
from duration_service.limits import Limits

EMPTY_LINES: Final = re.compile(rb"(?:\r\n)++")


class MemorySocket:
    """A socket as gunicorn's threads see it: it keeps what is to go.

    The real one never blocks. Only the methods that gunicorn calls are here; a timeout has no
    meaning where nobody waits.
    """

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.real.setblocking(False)
        self.unsent: list[memoryview] = []

    def sendall(self, data: bytes) -> None:
        """Keep `data` for the next flush."""
        self.unsent.append(memoryview(data))

    send = sendall

    def flush(self) -> None:
        """Send as much as the network takes now. Raises OSError where the caller is gone."""
        while self.unsent:
            try:
                # IOV_MAX is 1024 on Linux; an answer has a handful of parts.
                sent = self.real.sendmsg(self.unsent[:512])
            except BlockingIOError:
                return
            while self.unsent and sent >= len(self.unsent[0]):
                sent -= len(self.unsent.pop(0))
            if sent:
                self.unsent[0] = self.unsent[0][sent:]

    def kept(self) -> int:
        """Bytes that are kept: a part stays whole until all of it has gone."""
        return sum(memoryview(part.obj).nbytes for part in self.unsent)

    def setblocking(self, _blocking: bool) -> None:
        """Nothing: the real socket stays as it is."""

    def settimeout(self, _seconds: float | None) -> None:
        """Nothing: nobody waits."""

    def fileno(self) -> int:
        """The real socket's file, -1 once it is closed."""
        return self.real.fileno()

    def recv(self, _size: int) -> bytes:
        """Nothing: the loop reads. gunicorn would, where it ends a connection itself."""
        return b""

    def shutdown(self, how: int) -> None:
        """End one direction or both."""
        self.real.shutdown(how)

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self.real.close()


class WholeRequest:
    """What gunicorn takes a request from that came whole."""

    def __init__(self, heads: Heads, head: bytes, client: Any, body: bytes, *, last: bool) -> None:
        self._request = partial(heads.request, head, client, body)
        self._last = last

    def __next__(self) -> Any:
        """The request. Raises gunicorn's ParseException."""
        request = self._request()
        if self._last:
            request.force_close()
        return request

    def finish_body(self, deadline: float) -> bool:  # noqa: ARG002
        """Say that nothing of the body is left to come."""
        return True


class Connection(TConn):  # type: ignore[misc]
    """What the worker knows of one caller."""

    sock: MemorySocket
    # None between two requests; gunicorn takes what it answers from it.
    parser: Any

    def __init__(
        self, cfg: Any, heads: Heads, real: socket.socket, client: Any, server: Any
    ) -> None:
        super().__init__(cfg, MemorySocket(real), client, server)
        self.heads = heads
        # When gunicorn sees the connection, nothing of a request is still to come.
        self.initialized = True
        self.received = bytearray()
        self.framing: Framing | None = None
        # Of the request that is being answered.
        self.body = b""
        # Bytes of it that count in the worker's limit, and of an answer that is not taken.
        self.counted = 0
        self.untaken = 0
        # In seconds of the monotonic clock.
        self.deadline = 0.0
        # The last answer is on its way; what still comes is not read.
        self.leaving = False

    def arrived(self, limits: Limits) -> int | None:
        """Bytes of the next request, None while some are missing; RefusedError beyond a limit."""
        if self.framing is None:
            self.framing = Framing(limits)
        # An empty line before a request is to be skipped (RFC 9112, 2.2). All of them at once: one
        # by one, as many as a read brings hold the loop for 20 ms.
        if not self.framing.head and (empty := EMPTY_LINES.match(self.received)):
            del self.received[: empty.end()]
        return self.framing.length(self.received)

    def give(self, length: int, *, last: bool = False) -> None:
        """Take the request, the first `length` bytes that came, to be answered.

        The caller of the `last` one is told that the connection ends with the answer.
        """
        if self.framing:
            head = bytes(self.received[: self.framing.head])
            self.body = self.framing.body(self.received)
            self.parser = WholeRequest(self.heads, head, self.client, self.body, last=last)
        self.framing = None
        del self.received[:length]

    def forget(self) -> None:
        """Keep nothing of a request that was answered."""
        self.body = b""
        self.parser = None
