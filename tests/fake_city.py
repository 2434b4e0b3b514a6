"""A small real HTTP server that speaks SODA and fails when it is told to."""

import csv
import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from taxi_duration.trips.backoff import Backoff
from taxi_duration.trips.city_api import CityApi
from taxi_duration.trips.schema import TRIP_SCHEMA


@dataclass
class Failure:
    """How one answer goes wrong."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    # Bytes after which the connection ends, although more were announced.
    cut_at: int | None = None
    # The same without any length announced, as an old proxy does it.
    unframed: bool = False
    seconds: float = 0
    # Rows that are there but not sent.
    rows_held_back: int = 0


@dataclass
class Asked:
    """One request as it arrived; `day` is the first day of its window, `nth` counts from 1."""

    path: str
    clauses: dict[str, str]
    headers: dict[str, str]
    nth: int

    @property
    def day(self) -> str:
        found = re.search(r">= '(\d{4}-\d\d-\d\d)", self.clauses.get("where", ""))
        return found[1] if found else ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Says nothing of clients that hang up: some tests are about that."""


class FakeCity:
    """Serves `trips`; `fail` decides for each request whether and how it fails.

    Where it is not `limited`, it gives up to 1,000 rows whatever was asked for.
    """

    def __init__(self) -> None:
        self.trips: list[dict[str, Any]] = []
        self.fail: Callable[[Asked], Failure | None] = lambda _asked: None
        self.columns: tuple[str, ...] = tuple(TRIP_SCHEMA.names)
        self.headers: dict[str, str] = {}
        self.asked: list[Asked] = []
        self.limited = True
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def api(self, **options: Any) -> CityApi:
        """A client that does not wait long."""
        defaults: dict[str, Any] = {"timeout_seconds": 5, "backoff": Backoff(0.01, 0.3)}
        return CityApi(self.url, **defaults | options)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _note(self, path: str, clauses: dict[str, str], headers: dict[str, str]) -> Asked:
        with self._lock:
            nth = 1 + sum(a.path == path and a.clauses == clauses for a in self.asked)
            asked = Asked(path, clauses, headers, nth)
            self.asked.append(asked)
            return asked

    def _rows(self, asked: Asked) -> list[dict[str, Any]]:
        where = re.findall(r"'([^']+)'", asked.clauses.get("where", ""))
        start, end = where or ("0001", "9999")
        rows = [t for t in self.trips if start <= t["trip_start_timestamp"] < end]
        rows.sort(key=lambda trip: trip.get("trip_id") or "")
        offset = int(asked.clauses.get("offset", 0))
        limit = int(asked.clauses.get("limit", 1000)) if self.limited else 1000
        return rows[offset : offset + limit]

    def _answer(self, asked: Asked, failure: Failure) -> tuple[str, bytes]:
        if "max(" in asked.clauses.get("select", ""):
            old = "wrvz-psew" in asked.path
            times = [t["trip_start_timestamp"] for t in self.trips]
            times = [t for t in times if (t < "2024") == old]
            row = {"max_trip_start_timestamp": max(times)} if times else {}
            return "application/json", json.dumps([row]).encode()
        text = io.StringIO()
        lines = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        lines.writerow(self.columns)
        rows = self._rows(asked)
        for trip in rows[: len(rows) - failure.rows_held_back]:
            lines.writerow([trip.get(name, "") for name in self.columns])
        return "text/csv; charset=UTF-8", text.getvalue().encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        city = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                clauses = {key.removeprefix("$"): text for key, text in parse_qsl(parts.query)}
                self._send(city._note(parts.path, clauses, dict(self.headers)))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                words = re.split(r"(SELECT|WHERE|ORDER BY|LIMIT|OFFSET) ", body["query"])[1:]
                pairs = zip(words[::2], words[1::2], strict=True)
                clauses = {key.split()[0].lower(): text.strip() for key, text in pairs}
                self._send(city._note(self.path, clauses, dict(self.headers)))

            def _send(self, asked: Asked) -> None:
                failure = city.fail(asked) or Failure()
                time.sleep(failure.seconds)
                kind, body = city._answer(asked, failure)
                body = body if failure.body is None else failure.body
                self.send_response(failure.status)
                headers = {"Content-Type": kind, "Content-Length": str(len(body))}
                if failure.unframed:
                    del headers["Content-Length"]
                for name, value in (headers | city.headers | failure.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.close_connection = failure.cut_at is not None or failure.unframed
                self.wfile.write(body[: failure.cut_at])

            def log_message(self, *_: object) -> None: ...

        return Handler


def trip(number: int, start: datetime, **changes: Any) -> dict[str, Any]:
    """A trip of ten minutes as the City's CSV has it: all text."""
    moment = start.isoformat(timespec="milliseconds")
    return {
        "trip_id": f"{number * 2654435761 % 2**32:08x}",
        "trip_start_timestamp": moment,
        "trip_end_timestamp": (start + timedelta(minutes=15)).isoformat(timespec="milliseconds"),
        "trip_seconds": "600",
        "trip_miles": "1.5",
        "pickup_community_area": "8.0",
        "dropoff_community_area": "32",
        "pickup_census_tract": "17031081403",
        "company": "Taxicab Insurance Agency, LLC",
    } | changes
