"""Serving the stand-in: one process, a thread a connection, which SIGTERM ends at once.

Werkzeug's server is enough for a part that a laptop's pipeline and the tests ask: it starts in no
time, and a second process would only make the days twice.
"""

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from taxi_duration.errors import PortTakenError, StackError


class QuietHandler(WSGIRequestHandler):
    """Does not log each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Say nothing."""


def listen(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """A server that listens (port 0: on a free one). Raises PortTakenError or StackError."""
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(128)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"Port {port} of {host} is taken.",
                "End what listens there, or set TAXI_CITY_API_PORT (or --port) to another.",
            ) from error
        raise StackError(f"Cannot listen on {host}:{port}: {error}.", "Check TAXI_HOST.") from error
    with opened:
        return make_server(
            host, opened.getsockname()[1], app,
            threaded=True, request_handler=QuietHandler, fd=opened.fileno(),
        )  # fmt: skip


@contextmanager
def serving(app: Flask, host: str = "127.0.0.1") -> Iterator[str]:
    """The application on a free port of this process, for tests; gives its URL."""
    server = listen(app, host, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
