"""What was asked and answered, kept for those who want to know it, off the path of the requests.

A request leaves what it did with one append to a queue, which needs no lock, and goes on. A thread
empties the queue twenty times a second, and hands what it finds to the observers.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

from flask import Flask

from duration_service.served import Served
from taxi_duration.contract import Trip
from taxi_duration.model.features import Floats

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

# How often the queue is emptied. Each time costs something, however little it finds: a hundred
# times a second, p99 was a fifth higher. Seldom and much at a time, the thread would have the
# interpreter's lock for milliseconds, for which requests wait: four times a second, p99 was a fifth
# higher as well.
TICK_SECONDS: Final = 0.05
EXTENSION: Final = "duration_service.observations"
# Of a request for no page that there is, or one that was refused before it named one.
UNKNOWN: Final = "unknown"
# Where a request's environment has the moment at which it began, in seconds of `perf_counter`.
BEGAN: Final = "duration_service.began"
Item = TypeVar("Item")


class Answered(NamedTuple):
    """A request for predictions that was answered."""

    # Seconds since the epoch at which it was answered, and how many seconds that took.
    at: float
    seconds: float
    trips: Sequence[Trip]
    # Of shape (trips, features), and (trips, 3): lower, prediction and upper in minutes.
    features: Floats
    minutes: Floats
    served: Served
    # Of `Observations.numbers`; another model's answer to the same request has the same number.
    number: int


class Handled(NamedTuple):
    """A request of any kind, with the status that it was answered with."""

    endpoint: str
    method: str
    status: int
    seconds: float


class Observer(Protocol):
    """Somebody who wants to know; called from the thread of the observations only."""

    def observe(self, answered: list[Answered], handled: list[Handled]) -> None:
        """Take what happened since the last call; both lists may be empty."""


class Observations:
    """The queue of this process, and the thread that empties it."""

    def __init__(self, observers: Sequence[Observer], seconds: float = TICK_SECONDS) -> None:
        self.observers = observers
        self.seconds = seconds
        self.answered: deque[Answered] = deque()
        self.handled: deque[Handled] = deque()
        # What this process's answers are counted by.
        self.numbers = count(1)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observations", daemon=True)

    def start(self) -> None:
        """Empty the queue from a thread, every so many seconds."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, once all that was left is handed on."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def refused(self, status: int) -> None:
        """Tell of a request that was refused before the application saw it."""
        self.handled.append(Handled(UNKNOWN, UNKNOWN, status, 0.0))

    def hand_on(self) -> None:
        """Give what is queued to every observer."""
        answered, handled = _emptied(self.answered), _emptied(self.handled)
        for observer in self.observers:
            try:
                observer.observe(answered, handled)
            except Exception:  # one observer's fault is not the others'
                log.exception("%s failed", type(observer).__name__)

    def _run(self) -> None:
        while not self._stopped.wait(self.seconds):
            self.hand_on()
        self.hand_on()


def observe_requests(app: Flask, observations: Observations) -> None:
    """Tell `observations` of every request of `app`, which has all its routes."""
    app.extensions[EXTENSION] = observations
    answer = app.wsgi_app
    # By how their path begins: /docs has many pages, /predict is one, and callers invent others.
    begins = {_begin(rule.rule) for rule in app.url_map.iter_rules()}
    # What leads to /docs/ is its own too.
    begins |= {begin.rstrip("/") for begin in begins}
    endpoints = {begin: f"/{begin.rstrip('/')}" for begin in begins}

    # Around the application, which costs a third of what Flask's hooks do.
    def observed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ[BEGAN] = began = perf_counter()
        statuses: list[str] = []

        def start(status: str, *more: Any) -> Any:
            statuses.append(status)
            return start_response(status, *more)

        body = answer(environ, start)
        observations.handled.append(
            Handled(
                endpoints.get(_begin(environ["PATH_INFO"]), UNKNOWN),
                environ["REQUEST_METHOD"],
                int(statuses[-1][:3]),
                perf_counter() - began,
            )
        )
        return body

    app.wsgi_app = observed  # type: ignore[method-assign]


def _begin(path: str) -> str:
    """The first part of a path, with the slash after it where it has one."""
    first, slash, _ = path.lstrip("/").partition("/")
    return first + slash


def _emptied(queue: deque[Item]) -> list[Item]:
    """All that is queued now; what is appended meanwhile waits for the next time."""
    return [queue.popleft() for _ in range(len(queue))]
