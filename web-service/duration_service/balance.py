"""How many connections each process has, so that one does not take what another has time for.

All processes wait at the same socket. The one that is awake takes what comes, until it has all the
connections of a caller with many, and the others sleep.
"""

import mmap
from typing import Final

# Far more than there are; beyond that two share a place, and count less well.
PLACES: Final = 64
NOBODY: Final = -1


class ConnectionCounts:
    """A count for each process, in memory that is shared by those forked after it was made.

    Each writes its own and reads the others' without a lock, so what it reads may be a moment old.
    A process is known by its age, the number that gunicorn gives it.
    """

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, PLACES * 4)).cast("i")
        for place in range(PLACES):
            self._counts[place] = NOBODY

    def tell(self, age: int, connections: int) -> None:
        """Let the others know how many connections a process has."""
        self._counts[age % PLACES] = connections

    def leave(self, age: int) -> None:
        """Count a process no longer: it takes no connections."""
        self._counts[age % PLACES] = NOBODY

    def any_below(self, connections: int) -> bool:
        """Whether some process has fewer."""
        return any(NOBODY < count < connections for count in self._counts)


# Made when gunicorn's first process reads this module, before it forks.
COUNTS: Final = ConnectionCounts()
