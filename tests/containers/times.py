"""How long each step took and how large each image is: told while it goes on, and at the end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Times:
    """The log of one run of the tests."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        """Keep a line of the log, and show it now."""
        self.lines.append(line)
        self.say(line)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """The time that the block took; where it failed, that as well."""
        self.say(f"{what} …")
        began = time.monotonic()
        ending = "failed"
        try:
            yield
            ending = ""
        finally:
            self.note(f"{time.monotonic() - began:7.1f} s  {what} {ending}".rstrip())
