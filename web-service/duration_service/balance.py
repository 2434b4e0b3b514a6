"""How many connections each process has, so that one does not take what another has time for.

All processes wait at the same socket. The one that is awake takes what comes, until it has all the
connections of a caller with many, and the others sleep. And whoever was there while another process
began anew has all the connections that are kept, and would have them for ever.
"""

import math
import mmap
from typing import Final

# Far more than there are; beyond that two share a place, and count less well.
PLACES: Final = 64
NOBODY: Final = -1
# Others whose connections stay the same for so many times are held up: nothing is left to them.
MOST_IN_VAIN: Final = 10


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

    def others(self, age: int) -> list[int]:
        """How many each of the other processes has."""
        own = age % PLACES
        return [n for place, n in enumerate(self._counts) if n != NOBODY and place != own]


# Made when gunicorn's first process reads this module, before it forks.
COUNTS: Final = ConnectionCounts()


class Share:
    """One process among the others: what it tells them, and what it leaves to them."""

    def __init__(self, age: int, counts: ConnectionCounts = COUNTS) -> None:
        self.age = age
        self.counts = counts
        # What the others had when they were left a connection, and how often they took none.
        self._others: list[int] = []
        self._in_vain = 0
        # What the others had when connections were sent to them last; empty where none had to be.
        self._sent_to: list[int] = []

    def tell(self, connections: int) -> None:
        """Let the others know how many connections this process has."""
        self.counts.tell(self.age, connections)

    def leave(self) -> None:
        """Count no longer among those that take connections."""
        self.counts.leave(self.age)

    def leaves_next(self, connections: int) -> bool:
        """Whether the next connection is for another process, as that one has clearly fewer."""
        others = self.counts.others(self.age)
        if others != self._others:
            self._others, self._in_vain = others, 0
        few = connections - 1 - connections // 8
        if self._in_vain >= MOST_IN_VAIN or min(others, default=few) >= few:
            return False
        self._in_vain += 1
        return True

    def excess(self, connections: int) -> int:
        """How many connections should be another process's, as one has less than half as many.

        Callers that are sent away come again. Where the others took none since the last time, one
        of them may be held up: one caller is sent to see.
        """
        others = self.counts.others(self.age)
        if 2 * min(others, default=connections) >= connections - 1:
            self._sent_to = []
            return 0
        in_vain = others == self._sent_to
        self._sent_to = others
        mean = math.ceil((connections + sum(others)) / (1 + len(others)))
        excess = max(connections - mean, 0)
        return min(excess, 1) if in_vain else excess
