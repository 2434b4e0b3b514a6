"""Failing on purpose, so that clients can be tested against it: `429:3`, `cut:0.1`, `500`."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from taxi_duration.errors import SettingsError

Kind = Literal["429", "500", "slow", "cut"]


@dataclass(frozen=True)
class Failure:
    """One way to fail: the first `count` requests, or a `share` of all."""

    kind: Kind
    count: int | None = None
    share: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "Failure":
        """`KIND`, `KIND:COUNT` or `KIND:SHARE` (with a point). Raises SettingsError."""
        match = re.fullmatch(r"(429|500|slow|cut)(?::(?:(\d+)|([01]?\.\d+|1\.0)))?", text)
        if not match:
            kinds = ", ".join(get_args(Kind))
            raise SettingsError(
                f"{text!r} is no way to fail.",
                f"Write one of {kinds}, with a count (429:3) or a share (cut:0.1) if not always.",
            )
        kind, count, share = match.groups()
        return cls(kind, int(count) if count else None, float(share) if share else 1.0)  # type: ignore[arg-type]


class Failures:
    """Decides for each request how it fails, if it does; safe for threads."""

    def __init__(self, failures: Sequence[Failure], seed: int = 0) -> None:
        self._failures = failures
        self._left = [failure.count for failure in failures]
        self._random = Random(seed)  # noqa: S311 - nothing secret hangs on it
        self._lock = threading.Lock()

    def next(self) -> Kind | None:
        """How the next request fails."""
        with self._lock:
            for number, failure in enumerate(self._failures):
                left = self._left[number]
                if left == 0 or self._random.random() >= failure.share:
                    continue
                if left is not None:
                    self._left[number] = left - 1
                return failure.kind
        return None
