"""For the tests of the function: Lambda's runtime API, and the real client that asks it.

AWS starts `python -m awslambdaric HANDLER` with the API's address in its environment; the client
asks for an event, hands it to the handler, and posts what it answered:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

API: Final = "/2018-06-01/runtime"
HANDLER: Final = "duration_service.aws_lambda.lambda_handler"
_LIMIT_SECONDS: Final = 60


class FunctionFailedError(Exception):
    """What the runtime posted as an error: of its start, or of one invocation."""

    def __init__(self, where: str, error: dict[str, Any]) -> None:
        super().__init__(f"{where}: {error['errorType']}: {error['errorMessage']}")
        self.where = where
        self.error = error


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A function that is ended hangs up: that is no fault."""


class RuntimeApi:
    """A server of the runtime API: events go in, answers come out."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._posted: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._server = _Server((host, port), self._handler())
        self.address = "{}:{}".format(*self._server.server_address[:2])
        self.asked = 0

    def invoke(self, event: Any) -> Any:
        """The function's answer to one event. Raises FunctionFailedError for an error."""
        request_id = str(uuid4())
        self._events.put((request_id, json.dumps(event).encode()))
        path, body = self._posted.get(timeout=_LIMIT_SECONDS)
        if path != f"{API}/invocation/{request_id}/response":
            raise FunctionFailedError(path.removeprefix(API), json.loads(body))
        return json.loads(body)

    def __enter__(self) -> "RuntimeApi":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                assert self.path == f"{API}/invocation/next", self.path
                api.asked += 1
                request_id, event = api._events.get()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                deadline = str(int((time.time() + _LIMIT_SECONDS) * 1000))
                self.send_header("Lambda-Runtime-Deadline-Ms", deadline)
                arn = "arn:aws:lambda:us-east-2:123456789012:function:taxi-duration"
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", arn)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self) -> None:
                api._posted.put((self.path, self._body()))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers["Content-Length"]))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def running_function(environment: Mapping[str, str], log: Path) -> Iterator[RuntimeApi]:
    """The function, started as in its image, with nothing of this process's settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TAXI_")}
    with RuntimeApi() as api, log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", HANDLER],
            env={**own, "AWS_LAMBDA_RUNTIME_API": api.address, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield api
        finally:
            process.kill()
            process.wait()
