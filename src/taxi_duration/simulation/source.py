"""Where the stand-in's trips come from: what it asks of simulated trips and of files alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# Headers of every answer: what answered (`simulated`, `files` or `drill`), and which trips of that:
# a seed, or how many of which dates. The City sends neither.
SOURCE_HEADER: Final = "X-Taxi-Source"
ORIGIN_HEADER: Final = "X-Taxi-Origin"
# What trips of a drill call themselves, so that they never mix with others.
DRILL: Final = "drill"


@dataclass(frozen=True)
class Window:
    """A span of start times, Chicago local; `end` is not in it."""

    start: datetime
    end: datetime

    @property
    def bounds(self) -> NDArray[np.datetime64]:
        """Start and end, for searching in sorted times."""
        return np.array([self.start, self.end], dtype="datetime64[ms]")

    def __and__(self, other: "Window") -> "Window":
        return Window(max(self.start, other.start), min(self.end, other.end))


EVER = Window(datetime(1900, 1, 1), datetime(9999, 1, 1))


class TripSource(Protocol):
    """Trips in the order of their start."""

    @property
    def name(self) -> Literal["simulated", "files", "drill"]:
        """What every answer says of where it comes from."""
        ...

    def parts(self, window: Window, newest_first: bool = False) -> Iterator[pa.Table]:
        """The trips of the window in tables with the schema TRIPS, no day in two of them.

        Raises SoqlError where that is more than the source can be asked for.
        """
        ...
