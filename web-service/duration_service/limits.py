"""What one caller may ask of the service, and how it is told that it asked too much."""

from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, Self

import msgspec

from taxi_duration.contract import Problem
from taxi_duration.settings import Settings

# A trip with an id takes some 200 bytes of JSON; pretty-printed, 300.
BYTES_PER_TRIP: Final = 512
LEAST_BODY: Final = 64 * 1024
# Browsers and proxies send 1 or 2 KB; what is larger than this is no honest request.
MOST_HEAD: Final = 32 * 1024
# Of requests that wait in one process: a dozen of the longest lists, thousands of single trips.
MOST_BUFFERED: Final = 64 * 1024 * 1024
# Of answers that callers of one process do not take: three dozen of the longest lists.
MOST_UNTAKEN: Final = 64 * 1024 * 1024
# A queue of requests is worked off within a second; by then there is room again.
RETRY_AFTER: Final = 1


@dataclass(frozen=True)
class Limits:
    """The limits of one process."""

    # Bytes of one request's body.
    most_body: int
    # Requests that came whole and wait for an answer.
    most_waiting: int
    # Seconds in which a request has to come whole, and again in which its answer is to be taken.
    seconds: float
    most_buffered: int = MOST_BUFFERED
    most_untaken: int = MOST_UNTAKEN

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that the settings come to."""
        return cls(
            most_body=LEAST_BODY + BYTES_PER_TRIP * settings.max_trips_per_request,
            most_waiting=settings.max_waiting_requests,
            seconds=settings.request_seconds,
        )

    def too_large(self) -> str:
        """What a caller is told whose body is larger than allowed."""
        return f"The body is larger than {self.most_body:,} bytes. Split the list."


class RefusedError(Exception):
    """A request beyond a limit; raised before the application sees it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def raw_answer(status: int, detail: str, *, close: bool) -> bytes:
    """A whole HTTP answer with the problem; `close` says that the connection ends with it."""
    title = HTTPStatus(status).phrase
    problem = Problem(type="about:blank", title=title, status=status, detail=detail)
    body = msgspec.json.encode(problem)
    head = [
        f"HTTP/1.1 {status} {title}",
        # Refusals have one as all answers have (RFC 9110, 6.6.1).
        f"Date: {formatdate(usegmt=True)}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"Connection: {'close' if close else 'keep-alive'}",
    ]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        head.append(f"Retry-After: {RETRY_AFTER}")
    return "\r\n".join([*head, "", ""]).encode() + body
