"""One command at a time changes the stack of a home."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(home: Path, show: Callable[[str], None]) -> Iterator[None]:
    """Hold the home's lock; says so once where it has to wait for another command."""
    descriptor = _take(home / "run" / "lock", show)
    try:
        yield
    finally:
        os.close(descriptor)


def _take(path: Path, show: Callable[[str], None]) -> int:
    while True:
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            show("Another `taxi` command is starting or ending this stack: waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # The file may have been removed with its home while this waited.
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)
