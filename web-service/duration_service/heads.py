"""The heads of requests, as gunicorn's parser reads them, each of them once.

A caller that keeps its connection sends nearly the same head each time: only the length of the body
is now and then another one. To read it takes as long as to answer for a trip.
"""

from copy import copy
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

# What came lately: some lengths of a body, of a hundred callers. Such heads take 1 MB; heads that
# have as many fields as gunicorn lets them, 10 MB.
MOST_KEPT: Final = 512
LONGEST_KEPT: Final = 1_024


class NoHostError(ParseException):  # type: ignore[misc]
    """A request that does not name its host, as one of HTTP/1.1 has to (RFC 9112, 3.2)."""

    def __str__(self) -> str:
        return "It has to name its host, in a header Host."


class Heads:
    """What reads the heads for one process. Threads share it."""

    def __init__(self, cfg: Any) -> None:
        self.cfg = cfg
        self._kept = lru_cache(MOST_KEPT)(self._read)

    def request(self, head: bytes, client: Any, body: bytes) -> Request:
        """A caller's request, with the body that came. Raises gunicorn's ParseException."""
        # gunicorn believes some hosts more than others; the rest of an address changes nothing.
        host = client[0] if isinstance(client, tuple) else None
        read = self._kept if len(head) <= LONGEST_KEPT else self._read
        request = copy(read(head, host))
        request.body = BytesIO(body)
        return request

    def _read(self, head: bytes, host: str | None) -> Request:
        request = next(RequestParser(self.cfg, [head], host and (host, 0)))
        reader = request.body.reader
        if isinstance(reader, ChunkedReader):
            # It refers to itself and to the request: both would wait for the collector of garbage.
            reader.parser = None
        # Two of them gunicorn refuses.
        if request.version >= (1, 1) and all(name != "HOST" for name, _ in request.headers):
            raise NoHostError
        named = [value for name, value in request.headers if name == "CONNECTION"]
        if "close" in {wish.strip(" \t").lower() for wish in ",".join(named).split(",")}:
            # gunicorn hears it only where it stands alone and first.
            request.force_close()
        # What came with another one is no request's own.
        request.body = request.unreader = None
        return request
