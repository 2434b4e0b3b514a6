"""One command at a time changes the stack of a home."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from taxi_duration.errors import StackError


@contextmanager
def locked(home: Path, show: Callable[[str], None]) -> Iterator[None]:
    """Hold the home's lock; says so once where it has to wait for another command.

    Raises StackError where the home cannot be made, or is not this user's.
    """
    descriptor = _take(home, show)
    try:
        yield
    finally:
        os.close(descriptor)


def _take(home: Path, show: Callable[[str], None]) -> int:
    path = home / "run" / "lock"
    while True:
        try:
            path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StackError(
                f"{home} cannot be used: {error.strerror}.",
                "Set TAXI_HOME to a folder of your own.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            show("Another `taxi` command is starting or ending this stack: waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # The file may have been removed with its home while this waited.
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)
