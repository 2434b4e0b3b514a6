"""SODA, the protocol of the City's open data: one question, asked until it is answered whole."""

import json
import logging
import re
from collections.abc import Callable
from concurrent.futures import CancelledError
from threading import Event
from time import monotonic
from typing import Any, Final, Self, TypeVar

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.nap import sleep_using_event

from taxi_duration.errors import CityApiError
from taxi_duration.retry_after import retry_after
from taxi_duration.trips.backoff import Backoff, PassingCityApiError, log_pause
from taxi_duration.trips.soql import Query

Read = TypeVar("Read")

# 202: the City is still at work on the answer (dev.socrata.com/docs/response-codes).
PASSING: Final = {202, 408, 429}
EXCERPT: Final = 300


class Soda:
    """A connection to a SODA server: version 3 where there is an app token, else 2.1.

    Threads may share it. The token travels in a header and appears in no message.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        timeout_seconds: float,
        attempts: int,
        backoff: Backoff,
    ) -> None:
        self._token = token
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._backoff = backoff
        self._client = httpx.Client(
            base_url=url,
            timeout=timeout_seconds,
            headers={"X-App-Token": token} if token else {},
            # A proxy for the internet must not come between this machine and itself.
            mounts={"all://127.0.0.1": None, "all://localhost": None},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def csv(
        self, query: Query, read: Callable[[bytes], Read], cancelled: Event
    ) -> tuple[Read, httpx.Headers]:
        """What `read` makes of the CSV that answers `query`, and the answer's headers.

        An answer that is late, cut off or that `read` finds broken (ValueError) is asked for again.
        Raises CityApiError with what was asked and what came back, CancelledError once
        `cancelled` is set.
        """
        form = "export.csv" if self._token else "csv"
        return self._ask(query, form, lambda body: read(_whole_lines(body)), cancelled)

    def json(self, query: Query) -> Any:
        """The rows that answer `query`, as JSON has them. Raises CityApiError."""
        form = "query.json" if self._token else "json"
        return self._ask(query, form, json.loads, Event())[0]

    def _ask(
        self, query: Query, form: str, read: Callable[[bytes], Read], cancelled: Event
    ) -> tuple[Read, httpx.Headers]:
        retrying = Retrying(
            retry=retry_if_exception_type(PassingCityApiError),
            stop=stop_after_attempt(self._attempts),
            wait=self._backoff,
            sleep=sleep_using_event(cancelled),
            before_sleep=log_pause(logging.getLogger(__name__)),
            reraise=True,
        )
        request = self._request(query, form)
        asked = f"{request.method} {request.url.copy_with(query=None)} {query.soql}"
        return retrying(self._ask_once, request, asked, read, cancelled)

    def _request(self, query: Query, form: str) -> httpx.Request:
        if self._token:
            url = f"/api/v3/views/{query.dataset}/{form}"
            return self._client.build_request("POST", url, json={"query": query.soql})
        url = f"/resource/{query.dataset}.{form}"
        return self._client.build_request("GET", url, params=query.parameters)

    def _ask_once(
        self,
        request: httpx.Request,
        asked: str,
        read: Callable[[bytes], Read],
        cancelled: Event,
    ) -> tuple[Read, httpx.Headers]:
        if cancelled.is_set():
            raise CancelledError
        body = b""
        try:
            response = self._client.send(request, stream=True)
            try:
                body = self._body(response, cancelled)
            finally:
                response.close()
            self._check(response, asked, body)
            return read(body), response.headers
        except httpx.HTTPError as error:
            what = f"{type(error).__name__}: {error}"
            raise PassingCityApiError(f"Asked {asked}; nothing whole came back: {what}.") from error
        except ValueError as error:
            what = f"{error}; it begins with {self._excerpt(body)}"
            raise PassingCityApiError(f"Asked {asked}; the answer is broken: {what}.") from error

    def _body(self, response: httpx.Response, cancelled: Event) -> bytes:
        """The whole body; httpx counts its bytes against what was announced."""
        until = monotonic() + self._timeout_seconds
        chunks = []
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            if cancelled.is_set():
                raise CancelledError
            if monotonic() > until:
                limit = f"the answer took longer than {self._timeout_seconds:g} s"
                raise httpx.ReadTimeout(limit)
        return b"".join(chunks)

    def _check(self, response: httpx.Response, asked: str, body: bytes) -> None:
        status, kind = response.status_code, response.headers.get("Content-Type", "")
        cause = f"Asked {asked}; {status} came back, {kind or 'untyped'}: {self._excerpt(body)}."
        # A gateway that asks for a sign-in answers 200 with a page of its own.
        strange = status == httpx.codes.OK and not re.search("csv|json", kind)
        if strange or status in PASSING or status >= 500:
            raise PassingCityApiError(cause, retry_after=retry_after(response.headers))
        if status != httpx.codes.OK:
            token = status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
            raise CityApiError(cause, "Check TAXI_CITY_APP_TOKEN." if token else "")

    def _excerpt(self, body: bytes) -> str:
        # Masked before it is cut, which would leave half a token.
        masked = body.replace(self._token.encode(), b"***") if self._token else body
        return repr(masked[:EXCERPT].decode(errors="replace"))


def _whole_lines(body: bytes) -> bytes:
    if not body.endswith(b"\n"):
        raise ValueError("it stops in the middle of a line")
    return body
