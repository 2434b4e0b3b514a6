"""gunicorn's threaded worker, with requests that come whole before a thread sees them.

gunicorn's own gives a thread to each connection, which waits there for the bytes: as many slow
callers as there are threads, and nobody is answered. Here one loop reads and writes for all
connections, as a proxy in front would, and refuses what is too large, too slow or too much. The
threads only compute.
"""

import errno
import selectors
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Final

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from duration_service.balance import Share
from duration_service.connection import Connection
from duration_service.heads import Heads
from duration_service.limits import Limits, RefusedError, raw_answer
from taxi_duration.settings import load_settings

# A trip or a few are answered in less time than it takes to hand them to a thread and back.
SHORT_BODY: Final = 512
# Of trips with two areas no more fit into it. Of those of which nothing is known 170 do, which a
# model with many large trees takes 10 ms for.
SHORT_TRIPS: Final = 16
# Nothing else: what other paths answer may wait for a database.
SHORT_REQUEST: Final = b"POST /predict "
RECEIVE: Final = 256 * 1024
# How long a caller whose connection ends may take to see the last answer.
LEAVE_SECONDS: Final = 2
# How long a connection that does nothing is kept when the service stops: long enough for a caller
# that was told that it may go on to send its next request, which is its last one.
STOP_SECONDS: Final = 1
# The machine has none left of what a connection needs.
NO_ROOM: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
# Whatever else `accept` tells of is the network's, or one caller's: accept(2), "Error handling".
NO_LISTENER: Final = {errno.EBADF, errno.EFAULT, errno.EINVAL, errno.ENOTSOCK}
# How long a connection is left to a process that has fewer; one that is held up does not take it.
STAND_BACK_SECONDS: Final = 0.001
# How often a process looks whether it has far more connections than another.
SHARE_OUT_SECONDS: Final = 1
# What gunicorn's parser refuses, where RFC 9110 has a status for it; all else is 400. Codings of a
# body, and what `Expect` may not ask for, it never sees: the framing refuses them.
STATUSES: Final = {
    errors.InvalidHTTPVersion: 505,
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
}
BUSY: Final = "More requests came than can be answered. Ask again a little later."
SLOW: Final = "The request took too long to come."


class Worker(ThreadWorker):  # type: ignore[misc]
    """A process of the service."""

    def init_process(self) -> None:
        """Serve until told to stop."""
        self.limits = Limits.of(load_settings())
        self.heads = Heads(self.cfg)
        # Those that a thread has not got, with the event they wait for, the longest watched first.
        self.watched: dict[Connection, int] = {}
        self.in_flight = 0
        self.buffered = 0
        self.untaken = 0
        self._expired = time.monotonic()
        self.share = Share(self.age)
        self._stands_back_until: float | None = None
        # Connections that end with their next answer, so that another process may have them.
        self.excess = 0
        self._shared_out = time.monotonic()
        super().init_process()

    def load_wsgi(self) -> None:
        """Make the application."""
        super().load_wsgi()
        # Here, and not above: the first process shall not import what the application needs.
        from duration_service.observations import EXTENSION  # noqa: PLC0415

        self.observations = getattr(self.wsgi, "extensions", {}).get(EXTENSION)

    def run(self) -> None:
        """Read, hand to the threads, write, until told to stop; then end without a loss."""
        self.poller.register(
            self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks
        )
        self.share.tell(0)
        while self.alive and self.is_parent_alive():
            self.notify()
            until = self._stands_back_until
            stands_back = until is not None and time.monotonic() < until
            self.set_accept_enabled(not stands_back)
            self.wait_for_and_dispatch_events(timeout=STAND_BACK_SECONDS if stands_back else 1.0)
            self._expire()
            self._share_out()
        self._stop()

    def accept(self, listener: socket.socket) -> bool:
        """Take a connection, at the cost of the longest watched one where there are too many."""
        if self._stands_back():
            return False
        if self.nr_conns >= self.worker_connections and not self._drop_longest_watched():
            return False
        try:
            real, client = listener.accept()
        except OSError as error:
            if error.errno in NO_ROOM:
                self._drop_longest_watched()
            elif error.errno in NO_LISTENER:
                raise
            return False
        self._count_connections(1)
        connection = Connection(self.cfg, self.heads, real, client, listener.getsockname())
        try:
            self._watch(connection, self.limits.seconds)
        except Exception as error:
            self._end(connection, error)
        return True

    def handle(self, conn: Connection) -> bool:
        """Answer a request that came whole, from a thread; say whether another may follow."""
        if time.monotonic() > conn.deadline:
            self._observe(429)
            conn.sock.sendall(raw_answer(429, BUSY, close=True))
            goes_on = False
        else:
            goes_on = bool(super().handle(conn))
        try:
            conn.sock.flush()
        except OSError:
            return False
        return goes_on

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer what the parser refused; a fault of the service is gunicorn's to log."""
        if not isinstance(exc, errors.ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status = _status(exc)
        why = "The request is not HTTP/1.1" if status in {400, 505} else "The request is refused"
        self._observe(status)
        client.sendall(raw_answer(status, f"{why}: {exc}", close=True))

    def finish_request(self, conn: Connection, fs: "Future[bool]") -> None:
        """Go on with a connection that a thread has answered, in the loop."""
        self.in_flight -= 1
        try:
            self._go_on(conn, goes_on=fs.result())
        except Exception as error:
            self._end(conn, error)

    def _go_on(self, conn: Connection, *, goes_on: bool) -> None:
        conn.forget()
        self._count(conn, len(conn.received))
        conn.leaving = not goes_on
        self._settle(conn)

    def _settle(self, conn: Connection) -> None:
        """Watch a connection for what has to come next: room to write, its end, or a request."""
        if conn.sock.fileno() < 0:
            self._drop(conn)
        elif conn.sock.unsent:
            self._watch(conn, self.limits.seconds, selectors.EVENT_WRITE)
            self._count_untaken(conn, conn.sock.kept())
            self._make_room(conn)
        elif conn.leaving:
            self._leave(conn)
        elif conn.received:
            self._watch(conn, self.limits.seconds)
            self._advance(conn)
        else:
            self._watch(conn, self.cfg.keepalive if self.alive else STOP_SECONDS)

    def _leave(self, conn: Connection) -> None:
        """End what is sent, and wait for the caller to end as well.

        Closed at once, bytes that nobody read would make the caller's system throw the answer away.
        """
        conn.sock.shutdown(socket.SHUT_WR)
        self._watch(conn, LEAVE_SECONDS)

    def _ready(self, conn: Connection, _sock: Any) -> None:
        """Read or write what is possible; whatever happens ends one connection at most."""
        if conn not in self.watched:
            return  # dropped for another one since the poller found it ready
        try:
            if conn.sock.unsent:
                conn.sock.flush()
                if not conn.sock.unsent:
                    self._count_untaken(conn, 0)
                    self._settle(conn)
            else:
                self._receive(conn)
        except Exception as error:
            self._end(conn, error)

    def _receive(self, conn: Connection) -> None:
        try:
            data = conn.sock.real.recv(RECEIVE)
        except BlockingIOError:
            return
        if not data:
            self._drop(conn)
        elif not conn.leaving:
            # Empty lines begin no request, and would put its end off for ever.
            if not conn.received and not data.isspace():
                conn.deadline = time.monotonic() + self.limits.seconds
            conn.received += data
            self._count(conn, len(conn.received))
            if self.buffered > self.limits.most_buffered:
                self._refuse(conn, RefusedError(429, BUSY))
            else:
                self._advance(conn)

    def _advance(self, conn: Connection) -> None:
        """Give the request to a thread if it came whole."""
        try:
            length = conn.arrived(self.limits)
            if length is not None:
                self._submit(conn, length)
                return
            # Empty lines before a request are not kept.
            self._count(conn, len(conn.received))
            if conn.framing and conn.framing.expects:
                conn.framing.expects = False
                # Where there is no room for it, the caller will not wait for it for ever.
                with suppress(BlockingIOError):
                    conn.sock.real.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        except RefusedError as error:
            self._refuse(conn, error)

    def _submit(self, conn: Connection, length: int) -> None:
        if self.in_flight >= self.limits.most_waiting:
            raise RefusedError(429, BUSY)
        predicts = conn.received.startswith(SHORT_REQUEST)
        # One that has sent more already would lose it.
        last = self.excess > 0 and length == len(conn.received)
        self.excess -= last
        conn.give(length, last=last)
        conn.deadline = time.monotonic() + self.limits.seconds
        self.in_flight += 1
        if predicts and _is_short(conn.body) and not conn.received:
            try:
                goes_on = self.handle(conn)
            finally:
                self.in_flight -= 1
            self._go_on(conn, goes_on=goes_on)
        else:
            self._unwatch(conn)
            self.enqueue_req(conn)

    def _refuse(self, conn: Connection, error: RefusedError) -> None:
        """Answer a request that no thread gets; as not all of it may be here, it is the last."""
        self._observe(error.status)
        self._unwatch(conn)
        conn.received.clear()
        self._count(conn, 0)
        conn.leaving = True
        conn.sock.sendall(raw_answer(error.status, error.detail, close=True))
        conn.sock.flush()
        self._settle(conn)

    def _observe(self, status: int) -> None:
        if self.observations:
            self.observations.refused(status)

    def _expire(self) -> None:
        """End what took too long; it is looked for some times a second where much happens."""
        now = time.monotonic()
        if now - self._expired < min(self.limits.seconds, STOP_SECONDS) / 4:
            return
        self._expired = now
        for conn in [conn for conn in self.watched if conn.deadline < now]:
            try:
                if conn.received and not conn.leaving and not conn.sock.unsent:
                    self._refuse(conn, RefusedError(408, SLOW))
                else:
                    self._drop(conn)
            except Exception as error:
                self._end(conn, error)

    def _share_out(self) -> None:
        """Look now and then which connections others should have: they may have begun later."""
        now = time.monotonic()
        if now - self._shared_out >= SHARE_OUT_SECONDS:
            self._shared_out = now
            self.excess = self.share.excess(self.nr_conns)

    def _stop(self) -> None:
        """Answer all that has come or is coming on open connections, then end."""
        self.alive = False  # also where it ends because its parent is gone
        self.share.leave()
        for listener in self.sockets:
            # What the system has accepted in this service's name; nobody else may be there for it.
            while self.nr_conns < self.worker_connections and self.accept(listener):
                pass
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()
        now = time.monotonic()
        for conn in self.watched:
            if not conn.received and not conn.sock.unsent:
                conn.deadline = min(conn.deadline, now + STOP_SECONDS)
        while self.nr_conns and time.monotonic() < now + self.cfg.graceful_timeout:
            self.notify()
            self.wait_for_and_dispatch_events(timeout=STOP_SECONDS / 4)
            self._expire()
        self.tpool.shutdown(wait=False)
        self.poller.close()
        self.method_queue.close()

    def _watch(self, conn: Connection, seconds: float, event: int = selectors.EVENT_READ) -> None:
        conn.deadline = time.monotonic() + seconds
        if self.watched.get(conn) == event:
            del self.watched[conn]  # to be the last of them again
        else:
            self._unwatch(conn)
            self.poller.register(conn.sock, event, partial(self._ready, conn))
        self.watched[conn] = event

    def _unwatch(self, conn: Connection) -> None:
        if self.watched.pop(conn, None):
            self.poller.unregister(conn.sock)

    def _end(self, conn: Connection, error: Exception) -> None:
        """End a connection at which something failed, and no other: the loop is everybody's."""
        if not isinstance(error, OSError):
            self.log.error("A connection failed", exc_info=error)
        self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self._unwatch(conn)
        self._count(conn, 0)
        self._count_untaken(conn, 0)
        self._count_connections(-1)
        conn.sock.close()

    def _drop_longest_watched(self) -> bool:
        if self.watched:
            self._drop(next(iter(self.watched)))
            return True
        return False

    def _make_room(self, last: Connection) -> None:
        """End whose answers wait longest to be taken; the last has time for its own."""
        if self.untaken <= self.limits.most_untaken:
            return
        for conn in [one for one, event in self.watched.items() if event == selectors.EVENT_WRITE]:
            if conn is last or self.untaken <= self.limits.most_untaken:
                return
            self._drop(conn)

    def _count_connections(self, more: int) -> None:
        self.nr_conns += more
        if self.alive:
            self.share.tell(self.nr_conns)

    def _stands_back(self) -> bool:
        """Leave a connection to a process that has fewer, for a moment."""
        waited, self._stands_back_until = self._stands_back_until, None
        if waited or not self.alive or not self.share.leaves_next(self.nr_conns):
            return False
        self._stands_back_until = time.monotonic() + STAND_BACK_SECONDS
        self.set_accept_enabled(False)
        return True

    def _count(self, conn: Connection, size: int) -> None:
        """Let `conn` count with so many bytes in what this process keeps."""
        self.buffered += size - conn.counted
        conn.counted = size

    def _count_untaken(self, conn: Connection, size: int) -> None:
        """Let so many bytes of answers to `conn` count in what nobody takes."""
        self.untaken += size - conn.untaken
        conn.untaken = size


def _is_short(body: bytes) -> bool:
    return 0 < len(body) <= SHORT_BODY and body.count(b"{") <= SHORT_TRIPS


def _status(refused: errors.ParseException) -> int:
    # What has not the form of a version is no version that another server may know.
    if isinstance(refused, errors.InvalidHTTPVersion) and isinstance(refused.version, str):
        return 400
    return STATUSES.get(type(refused), 400)
