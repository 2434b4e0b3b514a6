"""Servers that run in a thread of the tests' own process."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from flask import Flask
from werkzeug.serving import make_server

Server = TypeVar("Server", bound=socketserver.BaseServer)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server while it answers; closed at the end."""
    # Its end waits for its next look at whether it is to end, half a second unless told.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving_app(app: Flask, *, threaded: bool = True) -> Iterator[str]:
    """The address at which an application answers."""
    with serving(make_server("127.0.0.1", 0, app, threaded=threaded)) as server:
        yield f"http://127.0.0.1:{server.port}"
