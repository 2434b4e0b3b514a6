"""A client of the service: durations for trips, with retries and typed errors.

ServiceError                 the service refused, failed or cannot be reached
├── ServiceProblemError          it answered with a problem
│   ├── TripsRefusedError            the request is wrong; `errors` has every field that is
│   ├── ServiceBusyError             it has no model yet, or too many requests
│   └── ServiceFailedError           it failed
└── ServiceUnreachableError      it did not answer in time, or not at all
"""

import math
import operator
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from numbers import Real
from types import TracebackType
from typing import Final, Self, SupportsIndex, TypeVar, overload

import httpx
import msgspec

from taxi_duration.contract import (
    FieldProblem,
    ModelAnswer,
    Prediction,
    Problem,
    Readiness,
    Trip,
)
from taxi_duration.errors import UNREADABLE, ServiceError, SettingsError
from taxi_duration.retry_after import retry_after

Kind = TypeVar("Kind")

URL: Final = "http://localhost:9696"
# Too many requests, and what a proxy answers or the service does while it starts.
PASSING: Final = {429, 502, 503, 504}
FIRST_WAIT_SECONDS: Final = 0.2
# Waits of two days, which `longest_wait_seconds` cuts; a float has room for a thousand doublings.
MOST_DOUBLINGS: Final = 20
# Enough of an answer that is not the service's to recognise whose it is.
MOST_SHOWN: Final = 200


class ServiceProblemError(ServiceError):
    """The service answered with `problem`."""

    def __init__(self, problem: Problem) -> None:
        wrong = (f"{e.path} is {e.came}; expected {e.expected}." for e in problem.errors)
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}", " ".join(wrong))
        self.problem = problem

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        # A pool of processes pickles what its workers raise.
        return type(self), (self.problem,)


class TripsRefusedError(ServiceProblemError):
    """The request is wrong; asking again will not help."""

    @property
    def errors(self) -> tuple[FieldProblem, ...]:
        """Every field that is wrong: its JSON path, what came, and what would be right."""
        return self.problem.errors


class ServiceBusyError(ServiceProblemError):
    """The service has no model yet or too many requests; `retry_after` is in seconds."""

    def __init__(self, problem: Problem, retry_after: float) -> None:
        super().__init__(problem)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        return type(self), (self.problem, self.retry_after)


class ServiceFailedError(ServiceProblemError):
    """The service failed; its log has the cause under `problem.instance`."""


class ServiceUnreachableError(ServiceError):
    """The service did not answer in time, or not at all."""


class DurationClient:
    """Asks the service at `url`; may be shared by threads and by processes that fork.

    It keeps its connections, each process its own.

    `timeout_seconds` is how long one attempt waits for a connection, and for each part of the
    answer. What may pass (429, 502, 503, 504, no answer) is asked again up to `attempts` times in
    all, after a growing wait with jitter, never before the time that the service names. Where that
    is more than `longest_wait_seconds` away, the error comes at once.

    Raises SettingsError where `url` is no address of a service.
    """

    def __init__(
        self,
        url: str = URL,
        *,
        timeout_seconds: float = 5,
        attempts: int = 4,
        longest_wait_seconds: float = 10,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        address = _address(url)
        self._connecting = partial(
            httpx.Client, base_url=address, timeout=timeout_seconds, transport=transport
        )
        # By process; a child leaves its parent's as they are.
        self._clients = {os.getpid(): self._connecting()}
        self._attempts = attempts
        self._longest_wait_seconds = longest_wait_seconds
        self._sleep = sleep

    @overload
    def predict(self, trips: Trip) -> Prediction: ...

    @overload
    def predict(self, trips: Iterable[Trip]) -> list[Prediction]: ...

    def predict(self, trips: Trip | Iterable[Trip]) -> Prediction | list[Prediction]:
        """The duration of one trip, or of each of many in the same order.

        Numbers and strings of numpy and times of pandas may stand in a trip; NaN, their missing
        area, is an unknown one.

        Raises a ServiceError, TripsRefusedError where the trips are wrong; TypeError for what is
        no trip at all, ValueError for a number that JSON has not.
        """
        if isinstance(trips, Trip):
            return _read(self._ask("POST", "/predict", _encoded(trips)), Prediction)
        return _read(self._ask("POST", "/predict", _encoded(_listed(trips))), list[Prediction])

    def model(self) -> ModelAnswer:
        """The model that answers; raises a ServiceError."""
        return _read(self._ask("GET", "/model"), ModelAnswer)

    def ready(self) -> Readiness:
        """Whether predictions are answered, asked once; raises a ServiceError."""
        answer = self._send("GET", "/ready", None)
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            try:
                return msgspec.json.decode(answer.content, type=Readiness)
            except UNREADABLE:
                # Not the service without a model, but something between.
                raise _problem(answer) from None
        return _read(_succeeded(answer), Readiness)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(_shown(self._http.base_url))!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _http(self) -> httpx.Client:
        """The process's own connections: at one of them two would get each other's answers."""
        process = os.getpid()
        if process not in self._clients:
            self._clients.setdefault(process, self._connecting())
        return self._clients[process]

    def _ask(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        """The first success of so many attempts."""
        for attempt in range(1, self._attempts):
            try:
                answer = self._send(method, path, body)
            except ServiceUnreachableError:
                wait = _backoff(attempt)
            else:
                if answer.status_code not in PASSING:
                    return _succeeded(answer)
                asked = retry_after(answer.headers)
                if asked > self._longest_wait_seconds:
                    raise _problem(answer)
                wait = max(_backoff(attempt), asked)
            self._sleep(min(wait, self._longest_wait_seconds))
        return _succeeded(self._send(method, path, body))

    def _send(self, method: str, path: str, body: bytes | None) -> httpx.Response:
        headers = {"Content-Type": "application/json"} if body else None
        service = _shown(self._http.base_url)
        try:
            return self._http.request(method, path, content=body, headers=headers)
        except httpx.DecodingError as error:
            raise ServiceError(
                f"{service}{path} answered what cannot be read: {error}.",
                "Is it this service?",
            ) from error
        except httpx.TransportError as error:
            raise ServiceUnreachableError(
                f"{service} does not answer ({error or type(error).__name__}).",
                "Is the service running?",
            ) from error


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in {"http", "https"} or not address.host:
        raise SettingsError(f"{url!r} is no address of a service.", f"One is {URL}.")
    return address


def _shown(url: httpx.URL) -> httpx.URL:
    """The address as it may stand in a log: without a password."""
    return url.copy_with(userinfo=b"")


def _listed(trips: Iterable[Trip]) -> list[Trip]:
    if isinstance(trips, str | bytes | Mapping):
        raise TypeError(f"Trips are given as Trip, or many of them, not as {type(trips).__name__}.")
    return list(trips)


def _encoded(trips: Trip | list[Trip]) -> bytes:
    for trip in [trips] if isinstance(trips, Trip) else trips:
        for area in (trip.pickup_community_area, trip.dropoff_community_area):
            # It would be sent as none, which is an area that is unknown.
            if isinstance(area, Real) and math.isinf(area):
                raise ValueError(f"An area cannot be {area!r}.")
    return msgspec.json.encode(trips, enc_hook=_plain)


def _plain(value: object) -> object:
    """What JSON has for a time, also one of pandas, or a number or string of numpy."""
    if isinstance(value, datetime):
        return value.isoformat()
    if getattr(getattr(value, "dtype", None), "kind", None) == "b":
        # numpy's own would pass for 1 or 0 below; as what it is, the service refuses it.
        return bool(value)
    if isinstance(value, SupportsIndex):
        return operator.index(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"A trip cannot have {value!r}, a {type(value).__name__}.")


def _backoff(attempt: int) -> float:
    """Seconds before the attempt after this one: doubling, and spread over half of that."""
    longest = FIRST_WAIT_SECONDS * 2 ** min(attempt - 1, MOST_DOUBLINGS)
    return random.uniform(longest / 2, longest)  # noqa: S311  # it spreads callers, and hides nothing


def _succeeded(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise _problem(answer)
    return answer


def _problem(answer: httpx.Response) -> ServiceProblemError:
    """The error that an answer without success stands for."""
    try:
        problem = msgspec.json.decode(answer.content, type=Problem)
    except UNREADABLE:
        # Not the service, but something between.
        problem = _foreign(answer)
    if answer.status_code in PASSING:
        return ServiceBusyError(problem, retry_after(answer.headers))
    return TripsRefusedError(problem) if answer.is_client_error else ServiceFailedError(problem)


def _foreign(answer: httpx.Response) -> Problem:
    status = answer.status_code
    title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    # Whatever coding it names: not all of those that Python knows are of text, or forgive.
    detail = answer.content[: 4 * MOST_SHOWN].decode(errors="replace")[:MOST_SHOWN]
    if answer.has_redirect_location:
        there = answer.headers["Location"]
        detail = f"{_shown(answer.url)} is now {there}; give the client that address."
    return Problem(type="about:blank", title=title, status=status, detail=detail)


def _read(answer: httpx.Response, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except UNREADABLE as error:
        raise ServiceError(
            f"{_shown(answer.url)} answered what cannot be read: {error}.", "Is it this service?"
        ) from error
