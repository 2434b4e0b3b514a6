import errno
import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from duration_service import spool as module
from duration_service.spool import Segment, Spool, batches, read


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "predictions", 1_000)


def lines(spool: Spool) -> list[bytes]:
    return read(spool.waiting()).splitlines()


def test_segments_wait_in_the_order_in_which_they_came(spool: Spool) -> None:
    for n in range(20):
        assert spool.add(b"%d\n" % n, 1) == 0
    assert lines(spool) == [b"%d" % n for n in range(20)]


def test_a_file_that_is_no_segment_keeps_none_waiting(spool: Spool) -> None:
    spool.add(b"first", 1)
    (spool.folder / "refused.tsv").write_bytes(b"put back by a person")
    spool.add(b"second", 1)
    assert read(spool.waiting()) == b"firstsecond"


def test_only_the_owner_reads_what_people_asked(spool: Spool) -> None:
    spool.add(b"a\n", 1)
    assert spool.folder.stat().st_mode & 0o777 == 0o700


def test_beyond_the_bound_the_oldest_go_and_are_counted(spool: Spool) -> None:
    given_up = [spool.add(b"%099d\n" % n, 7) for n in range(12)]
    assert given_up == [0] * 10 + [7, 7]
    assert [int(line) for line in lines(spool)] == list(range(2, 12))


def test_a_segment_that_is_larger_than_the_bound_is_given_up(spool: Spool) -> None:
    assert spool.add(b"x" * 2_000 + b"\n", 5) == 5
    assert spool.waiting() == []


def test_many_small_segments_become_few_and_lose_nothing(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SMALL", 4)
    monkeypatch.setattr(module, "BATCH_BYTES", 24)
    for n in range(10):
        spool.add(b"line %d\n" % n, 1)
    spool.put_together()
    assert [segment.rows for segment in spool.waiting()] == [3, 3, 3, 1]
    assert lines(spool) == [b"line %d" % n for n in range(10)]


def test_putting_together_gives_up_nothing_that_fits_while_others_add(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SMALL", 4)
    one, other = (Spool(tmp_path / "predictions", 1_200) for _ in range(2))
    for n in range(8):
        one.add(b"%099d\n" % n, 1)
    given_up: list[int] = []
    remove = one.remove

    def after_another_added(batch: Sequence[Segment]) -> int:
        if not given_up:
            given_up.append(other.add(b"%09d\n" % 8, 1))
        return remove(batch)

    monkeypatch.setattr(one, "remove", after_another_added)
    one.put_together()
    assert given_up == [0]
    assert sorted(int(line) for line in lines(one)) == list(range(9))
    assert len(one.waiting()) < 9


def test_few_small_segments_stay_as_they_are(spool: Spool) -> None:
    for _ in range(3):
        spool.add(b"a\n", 1)
    before = spool.waiting()
    spool.put_together()
    assert spool.waiting() == before


def test_a_batch_is_as_large_as_is_wanted_or_one_segment(spool: Spool) -> None:
    for size in (4, 4, 4, 50, 4):
        spool.add(b"x" * size, 1)
    sizes = [[segment.bytes for segment in batch] for batch in batches(spool.waiting(), 10)]
    assert sizes == [[4, 4], [4], [50], [4]]


def test_one_at_a_time_holds_the_lock(spool: Spool) -> None:
    held = spool.lock()
    assert held is not None
    assert spool.lock() is None
    os.close(held)
    again = spool.lock()
    assert again is not None
    os.close(again)


def test_where_the_disk_has_no_locks_no_file_stays_open(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int, _kind: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    opened = psutil.Process().num_fds()
    for _ in range(5):
        with pytest.raises(OSError, match="No locks"):
            spool.lock()
    assert psutil.Process().num_fds() == opened


def test_what_a_killed_process_left_half_written_is_no_segment_and_goes(spool: Spool) -> None:
    spool.add(b"a\n", 1)
    old, new = spool.folder / "1-a-1.17.new", spool.folder / "2-b-1.18.new"
    for draft in (old, new):
        draft.write_bytes(b"half a li")
    os.utime(old, (time.time() - 120, time.time() - 120))
    assert lines(spool) == [b"a"]
    spool.tidy()
    assert [draft.exists() for draft in (old, new)] == [False, True]


def test_a_disk_that_takes_nothing_leaves_nothing_half_written(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        spool.add(b"a\n", 1)
    assert list(spool.folder.iterdir()) == []
