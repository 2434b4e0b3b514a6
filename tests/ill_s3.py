"""S3 servers that are ill: silent, refusing, or slow."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from in_thread import serving


@contextmanager
def silent_server() -> Iterator[str]:
    """The address of a server whose system takes connections, and which answers none."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def refusing_server(status: int) -> Iterator[tuple[str, list[str]]]:
    """The address of a server that answers all with one status, and the requests that came."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            requests.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self._refuse
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output short."""

    with _running(Handler) as url:
        yield url, requests


@contextmanager
def slow_server(seconds: float) -> Iterator[str]:
    """The address of a server that takes each upload in pieces over so many seconds."""
    pieces = 20

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            left = int(self.headers["Content-Length"])
            piece = left // pieces + 1
            while left:
                time.sleep(seconds / pieces)
                left -= len(self.rfile.read(min(piece, left)))
            self.send_response(200)
            self.send_header("ETag", '"taken"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the tests' output short."""

    with _running(Handler) as url:
        yield url


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        # Else the system takes megabytes before the server does.
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        yield f"http://127.0.0.1:{server.server_port}"
