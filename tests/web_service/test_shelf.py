import fcntl
import os
import shutil
import threading
import time
from pathlib import Path

import msgspec
import pytest

from duration_service.shelf import MOST_KEPT, Shelf
from taxi_duration.contract import ModelVersion
from taxi_duration.errors import DamagedModelError
from taxi_duration.model.duration_model import INFO_FILE
from taxi_duration.registry.champion import RECORD


class Downloads:
    """Copies a model folder, and counts."""

    def __init__(self, model: Path) -> None:
        self.model = model
        self.done: list[str] = []

    def __call__(self, champion: ModelVersion, folder: Path) -> Path:
        target = folder / f"{champion.version}-{champion.run_id}"
        if not target.is_dir():
            shutil.copytree(self.model, target)
            self.done.append(champion.version)
        return target


@pytest.fixture
def shelf(tmp_path: Path, champion: ModelVersion) -> Shelf:
    return Shelf(tmp_path / "models", champion.name)


@pytest.fixture
def downloads(trained: Path) -> Downloads:
    return Downloads(trained)


def other(champion: ModelVersion, version: str, run_id: str = "") -> ModelVersion:
    return msgspec.structs.replace(champion, version=version, run_id=run_id or f"run-{version}")


def damage(folder: Path) -> None:
    text = next(path for path in sorted(folder.iterdir()) if path.suffix == ".txt")
    text.write_text(text.read_text().replace("leaf_value=", "leaf_value=9"))


def test_an_empty_shelf_has_no_last_good_model(shelf: Shelf) -> None:
    assert shelf.last_good() is None


def test_a_model_is_downloaded_once(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(champion, downloads)
    shelf.fetch(champion, downloads)
    assert downloads.done == [champion.version]
    kept = shelf.last_good()
    assert kept is not None
    assert kept[0] == champion


def test_processes_that_ask_at_once_download_once(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    asking = [threading.Thread(target=shelf.fetch, args=(champion, downloads)) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert downloads.done == [champion.version]


def test_the_last_good_model_is_the_one_that_was_fetched_last_even_after_a_rollback(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    for version in ("3", "4", "3"):
        shelf.fetch(other(champion, version), downloads)
    kept = shelf.last_good()
    assert kept is not None
    assert kept[0].version == "3"
    assert downloads.done == ["3", "4"]


def test_a_version_number_that_a_new_registry_counts_again_is_another_model(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(other(champion, "1", "old-run"), downloads)
    shelf.fetch(other(champion, "1", "new-run"), downloads)
    assert downloads.done == ["1", "1"]
    kept = shelf.last_good()
    assert kept is not None
    assert kept[0].run_id == "new-run"


def test_a_damaged_download_is_refused_and_leaves_the_last_good_model(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    def damaged(champion: ModelVersion, folder: Path) -> Path:
        damage(target := downloads(champion, folder))
        return target

    shelf.fetch(champion, downloads)
    with pytest.raises(DamagedModelError, match=f"^models:/{champion.name}/9/"):
        shelf.fetch(other(champion, "9"), damaged)
    assert not list(shelf.folder.glob("9-*"))
    kept = shelf.last_good()
    assert kept is not None
    assert kept[0].version == champion.version


def test_a_model_that_was_damaged_on_disk_gives_way_to_the_one_before_it(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(other(champion, "3"), downloads)
    shelf.fetch(other(champion, "4"), downloads)
    damage(shelf.folder / "4-run-4")
    kept = shelf.last_good()
    assert kept is not None
    assert kept[0].version == "3"


def test_a_model_that_was_damaged_on_disk_is_brought_anew(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(champion, downloads)
    for path in shelf.folder.glob("*/*.txt"):
        path.write_bytes(b"")  # what a machine that lost its power may leave
    shelf.fetch(champion, downloads)
    assert downloads.done == [champion.version] * 2
    assert shelf.last_good() is not None


def damage_a_byte(path: Path) -> None:
    """Let a text in the JSON be no UTF-8, as when a bit of the disk has turned."""
    path.write_bytes(path.read_bytes().replace(b"simulated", b"\xffimulated", 1))


@pytest.mark.parametrize("name", [RECORD, INFO_FILE])
def test_a_model_with_a_damaged_byte_gives_way_to_the_one_before_it(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion, name: str
) -> None:
    shelf.fetch(other(champion, "3"), downloads)
    shelf.fetch(other(champion, "4"), downloads)
    damage_a_byte(shelf.folder / "4-run-4" / name)
    kept = shelf.last_good()
    assert kept is not None
    assert kept[0].version == "3"


def test_a_download_with_a_damaged_byte_is_refused_and_leaves_nothing(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    def damaged(champion: ModelVersion, folder: Path) -> Path:
        damage_a_byte((target := downloads(champion, folder)) / INFO_FILE)
        return target

    with pytest.raises(DamagedModelError):
        shelf.fetch(champion, damaged)
    assert not list(shelf.folder.glob("*/"))


def test_a_download_that_was_cut_off_is_no_model_and_is_cleared_away(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    (shelf.folder / ".tmp-cut-off").mkdir(parents=True)
    assert shelf.last_good() is None
    shelf.fetch(champion, downloads)
    assert shelf.last_good() is not None
    assert not (shelf.folder / ".tmp-cut-off").exists()


def test_a_model_whose_process_died_before_its_record_was_written_is_cleared_away(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(other(champion, "3"), downloads)
    died = downloads(other(champion, "4"), shelf.folder)
    shelf.fetch(other(champion, "5"), downloads)
    assert not died.exists()
    assert sorted(path.name for path in shelf.folder.glob("*/")) == ["3-run-3", "5-run-5"]


def test_a_model_that_another_process_has_yet_to_check_is_not_cleared_away(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.folder.mkdir()
    fetching = []
    with shelf._lock(fcntl.LOCK_EX):
        for version in ("3", "4"):
            wanted = other(champion, version)
            fetching.append(threading.Thread(target=shelf.fetch, args=(wanted, downloads)))
            fetching[-1].start()
            until = time.monotonic() + 10
            while version not in downloads.done:
                assert time.monotonic() < until
                time.sleep(0.01)
    for thread in fetching:
        thread.join()
    assert sorted(path.parent.name for path in shelf.folder.glob(f"*/{RECORD}")) == [
        "3-run-3",
        "4-run-4",
    ]


def test_a_record_that_cannot_be_read_is_no_model(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(champion, downloads)
    (shelf.folder / f"{champion.version}-{champion.run_id}" / RECORD).write_bytes(b"{")
    assert shelf.last_good() is None


def test_the_model_of_another_name_is_not_served(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(champion, downloads)
    assert Shelf(shelf.folder, "another").last_good() is None


def test_only_the_newest_models_are_kept(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    for number in range(MOST_KEPT + 2):
        version = str(number)
        shelf.fetch(other(champion, version), downloads)
        os.utime(shelf.folder / f"{version}-run-{version}" / RECORD, (number, number))
    assert len(list(shelf.folder.glob("*/"))) == MOST_KEPT


def test_the_model_that_was_fetched_last_stays_though_the_clock_was_set_back(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    later = time.time() + 86_400
    for version in "123":
        shelf.fetch(other(champion, version), downloads)
        os.utime(shelf.folder / f"{version}-run-{version}" / RECORD, (later, later))
    for version in "42":
        shelf.fetch(other(champion, version), downloads)
        kept = shelf.last_good()
        assert kept is not None
        assert kept[0].version == version


def test_models_are_read_side_by_side_while_nobody_writes(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(champion, downloads)
    with shelf._lock(fcntl.LOCK_SH):
        reading = threading.Thread(target=shelf.last_good)
        reading.start()
        reading.join(timeout=10)
        assert not reading.is_alive()


def test_a_process_that_starts_does_not_wait_for_a_download_that_hangs(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(champion, downloads)
    hangs, ends = threading.Event(), threading.Event()

    def hanging(champion: ModelVersion, folder: Path) -> Path:
        hangs.set()
        assert ends.wait(30)
        return downloads(champion, folder)

    fetching = threading.Thread(target=shelf.fetch, args=(other(champion, "4"), hanging))
    fetching.start()
    assert hangs.wait(10)
    found: list[object] = []
    starting = threading.Thread(target=lambda: found.append(shelf.last_good()))
    starting.start()
    starting.join(timeout=10)
    waited = starting.is_alive()
    ends.set()
    for thread in (starting, fetching):
        thread.join()
    assert not waited
    assert len(found) == 1


def test_a_model_is_read_from_a_disk_that_cannot_be_written(
    shelf: Shelf, downloads: Downloads, champion: ModelVersion
) -> None:
    shelf.fetch(champion, downloads)
    before = {path: path.stat().st_mtime_ns for path in shelf.folder.rglob("*")}
    assert shelf.last_good() is not None
    assert {path: path.stat().st_mtime_ns for path in shelf.folder.rglob("*")} == before
