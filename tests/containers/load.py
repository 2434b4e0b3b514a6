"""Somebody who asks for predictions all the time, and remembers every answer."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

TRIP = {
    "pickup_community_area": 8,
    "dropoff_community_area": 76,
    "trip_start_timestamp": "2022-04-01T10:30:00",
}
# Between two questions of one caller; three callers ask some twenty times a second.
PAUSE_SECONDS = 0.1
CALLERS = 3


@dataclass
class Load:
    """What was answered, and what went wrong."""

    url: str
    answered: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def ask(self, client: httpx.Client) -> dict[str, Any] | None:
        """One prediction, of a trip that no other question has; None where there was none."""
        trip = uuid4().hex
        began = time.monotonic()
        try:
            response = client.post(f"{self.url}/predict", json={**TRIP, "trip_id": trip})
            answer: dict[str, Any] = response.raise_for_status().json()
        except httpx.HTTPError as error:
            self.failed.append(f"after {time.monotonic() - began:.1f} s: {error!r}")
            return None
        self.answered.append(trip)
        return answer

    @contextmanager
    def going_on(self) -> Iterator["Load"]:
        """Ask from several threads until the block ends."""
        ended = threading.Event()

        def caller() -> None:
            with httpx.Client(timeout=30, trust_env=False) as client:
                while not ended.wait(PAUSE_SECONDS):
                    self.ask(client)

        threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            ended.set()
            for thread in threads:
                thread.join()
