"""Predictions that wait on this machine's disk until Postgres has them.

A folder of segments: files of whole lines in the form that `predictions_table` copies. A segment
appears whole, by renaming, and is never changed; any process may remove it. So a process that is
killed leaves nothing that others would have to mend.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

SUFFIX: Final = ".tsv"
REFUSED: Final = "refused"
# What Postgres takes at once, and what small segments are put together to.
BATCH_BYTES: Final = 8 * 1024 * 1024
# While Postgres is away a worker leaves a segment a second: a folder of so many would be slow.
MOST_SMALL: Final = 200
SMALL_BYTES: Final = 1024 * 1024
# Nobody writes one file for so long.
DRAFT_SECONDS: Final = 60


@dataclass(frozen=True, order=True)
class Segment:
    """A file of predictions; its name says when it was written and how many it holds."""

    path: Path
    rows: int
    bytes: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The segment in a file.

        Raises FileNotFoundError where it has gone, ValueError where its name is no segment's.
        """
        return cls(path, int(path.stem.rpartition("-")[2]), path.stat().st_size)


class Spool:
    """A bounded folder of segments, shared by the processes of one machine."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self.most_bytes = most_bytes

    def add(self, lines: bytes, rows: int) -> int:
        """Keep whole lines that hold so many predictions; returns how many were given up for them.

        Raises OSError where the disk takes none.
        """
        self._write(lines, f"{time.time_ns():020d}-{uuid4().hex[:12]}", rows)
        return self._give_up_oldest()

    def waiting(self) -> list[Segment]:
        """The segments, the oldest first."""
        segments = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            try:
                segments.append(Segment.of(path))
            except (FileNotFoundError, ValueError):  # given up meanwhile, or somebody else's file
                continue
        return sorted(segments)

    def remove(self, segments: Sequence[Segment]) -> int:
        """Remove segments; returns how many predictions that were still there they held."""
        rows = 0
        for segment in segments:
            try:
                segment.path.unlink()
            except FileNotFoundError:
                continue
            rows += segment.rows
        return rows

    def set_aside(self, segment: Segment) -> None:
        """Keep the latest segment that Postgres refused out of the way, for a person to look at."""
        segment.path.replace(self.folder / REFUSED)

    def put_together(self) -> None:
        """Make few segments of many small ones, as far as there is room for both meanwhile.

        Else another process would give up what fits. Killed in between, it leaves predictions in
        two segments, and Postgres takes them once.
        """
        small = [segment for segment in self.waiting() if segment.bytes < SMALL_BYTES]
        if len(small) <= MOST_SMALL:
            return
        for batch in batches(small, self._room_for_copies()):
            if len(batch) > 1 and _bytes(batch) <= self._room_for_copies():
                name = batch[0].path.stem.rpartition("-")[0]
                self._write(read(batch), name, sum(segment.rows for segment in batch))
                self.remove(batch)

    def tidy(self) -> None:
        """Remove what processes that were killed left half written."""
        for draft in self.folder.glob("*.new"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > DRAFT_SECONDS:
                    draft.unlink()

    def lock(self) -> int | None:
        """A descriptor that only one process of this machine holds at a time, or None.

        The lock ends with the process that holds it, however that ends. Raises OSError where the
        disk has no locks.
        """
        self._make_folder()
        descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return descriptor

    def tell(self, name: str, content: bytes) -> None:
        """Write a file for the other processes of the machine, whole."""
        path = self.folder / name
        # Two containers that share the folder have processes of the same number.
        draft = path.with_suffix(f".{uuid4().hex[:12]}.new")
        try:
            draft.write_bytes(content)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _write(self, lines: bytes, name: str, rows: int) -> None:
        self._make_folder()
        self.tell(f"{name}-{rows}{SUFFIX}", lines)

    def _give_up_oldest(self) -> int:
        waiting = self.waiting()
        excess = _bytes(waiting) - self.most_bytes
        rows = 0
        for segment in waiting:
            if excess <= 0:
                break
            rows += self.remove([segment])
            excess -= segment.bytes
        return rows

    def _room_for_copies(self) -> int:
        """Half of what is free, as others add meanwhile; no more than a batch."""
        return min(BATCH_BYTES, (self.most_bytes - _bytes(self.waiting())) // 2)

    def _make_folder(self) -> None:
        # What people asked is nobody else's business.
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def batches(segments: Sequence[Segment], most: int) -> Iterator[list[Segment]]:
    """The segments in order, in groups of at most `most` bytes; one that is larger stays alone."""
    batch: list[Segment] = []
    size = 0
    for segment in segments:
        if batch and size + segment.bytes > most:
            yield batch
            batch, size = [], 0
        batch.append(segment)
        size += segment.bytes
    if batch:
        yield batch


def _bytes(segments: Sequence[Segment]) -> int:
    return sum(segment.bytes for segment in segments)


def read(segments: Sequence[Segment]) -> bytes:
    """The lines of the segments that are still there."""
    parts = []
    for segment in segments:
        try:
            parts.append(segment.path.read_bytes())
        except FileNotFoundError:
            continue
    return b"".join(parts)
