"""The service's worker in a thread of the tests: on a real socket, without a process of its own."""

import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger

from duration_service.limits import Limits
from duration_service.worker import Worker
from taxi_duration.settings import Settings


class OwnWorker(Worker):
    """A worker that a test starts, watches and stops."""

    def __init__(self, application: Callable[..., Any], limits: Limits) -> None:
        configuration = Config()
        for name, value in {"threads": 2, "keepalive": 5, "sendfile": False}.items():
            configuration.set(name, value)
        self.own_limits = limits
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self.listener.getsockname()[1]
        self.fault = ""
        named = SimpleNamespace(wsgi=lambda: application)
        log = Logger(configuration)
        super().__init__(1, os.getppid(), [self.listener], named, 30, configuration, log)
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def init_signals(self) -> None:
        """Leave the signals to the tests' own process."""

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.limits = self.own_limits

    def serve(self) -> None:
        """Run to the end, and keep what ended it before its time."""
        try:
            self.init_process()
        except BaseException:
            self.fault = traceback.format_exc()

    def connect(self, first: bytes = b"") -> socket.socket:
        """A caller's connection, on which `first` is sent."""
        caller = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        if first:
            caller.sendall(first)
        return caller

    def talk(self, data: bytes) -> bytes:
        """All that is answered to `data`, after which the caller sends nothing more."""
        with self.connect(data) as caller:
            caller.shutdown(socket.SHUT_WR)
            return received(caller)


def received(caller: socket.socket) -> bytes:
    """What still comes until the service ends the connection."""
    answer = bytearray()
    while data := caller.recv(65_536):
        answer += data
    return bytes(answer)


@contextmanager
def own_worker(
    application: Callable[..., Any], settings: Settings, limits: Limits | None = None
) -> Iterator[OwnWorker]:
    """A worker that serves `application`; fails if anything but this ended it."""
    worker = OwnWorker(application, limits or Limits.of(settings))
    worker.thread.start()
    try:
        while not worker.booted and worker.thread.is_alive():
            time.sleep(0.01)
        yield worker
        assert worker.thread.is_alive(), worker.fault
    finally:
        worker.handle_exit(0, None)
        worker.thread.join(20)
        worker.listener.close()
        worker.tmp.close()
    assert not worker.fault, worker.fault
