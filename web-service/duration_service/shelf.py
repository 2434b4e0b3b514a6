"""The models on this machine's disk, so that the service starts when all behind it is gone."""

import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import UNREADABLE, ModelError
from taxi_duration.model.duration_model import DurationModel, saved_info
from taxi_duration.registry.champion import RECORD, model_uri

log = logging.getLogger(__name__)

# The one that serves and two to go back to.
MOST_KEPT = 3
# The lock of the one process that downloads. It may take as long as a store that hangs, so that
# nobody who reads is to wait for it: a new version comes by renaming.
DOWNLOADING = ".downloading"
# The lock of all that fetch, from before the download until the record is written.
FETCHING = ".fetching"

Download = Callable[[ModelVersion, Path], Path]


class Shelf:
    """A folder with one folder a model version; the processes of one machine share it.

    A version's folder with a record in it held a model that passed its check; the newest record
    is of the model that served last.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name

    def last_good(self) -> tuple[ModelVersion, DurationModel] | None:
        """The model that served last, or the one before it where that cannot be used."""
        if not self.folder.is_dir():
            return None
        with self._lock(fcntl.LOCK_SH):
            for folder in self._newest_first():
                try:
                    version = _record(folder)
                    if version.name == self.name:
                        return version, DurationModel.load(folder)
                except (ModelError, *UNREADABLE) as error:
                    log.warning("the model kept in %s cannot be used: %s", folder, error)
        return None

    def fetch(self, version: ModelVersion, download: Download) -> DurationModel:
        """The version's model, checked; `download` brings it where it is not here yet.

        Raises ModelError where it fails its check; nothing of it stays then.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._clear_away_unfinished()
        with _held(self.folder / FETCHING, fcntl.LOCK_SH):
            return self._fetched(version, download)

    def _fetched(self, version: ModelVersion, download: Download) -> DurationModel:
        with _held(self.folder / DOWNLOADING, fcntl.LOCK_EX):
            folder = download(version, self.folder)
            # It was good once: this disk has damaged it, and the registry may have it whole.
            if (folder / RECORD).exists() and not _is_whole(folder):
                with self._lock(fcntl.LOCK_EX):
                    shutil.rmtree(folder, ignore_errors=True)
                folder = download(version, self.folder)
        try:
            # Reading takes longest; the processes of a machine do it side by side.
            with self._lock(fcntl.LOCK_SH):
                model = DurationModel.load(folder, model_uri(version))
        except ModelError:
            with self._lock(fcntl.LOCK_EX):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        with self._lock(fcntl.LOCK_EX):
            _write_record(folder, version)
            self._make_newest(folder / RECORD)
            self._tidy()
        return model

    def _make_newest(self, record: Path) -> None:
        """Let a record be the newest, also where the clock was set back since the last one."""
        newest = self._newest_first()[0] / RECORD
        if newest != record:
            # Some disks know seconds only.
            later = newest.stat().st_mtime_ns + 1_000_000_000
            os.utime(record, ns=(later, later))

    def _tidy(self) -> None:
        """Remove old models."""
        for folder in self._newest_first()[MOST_KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)

    def _clear_away_unfinished(self) -> None:
        """Remove what processes that were killed left: parts of downloads, and models unchecked.

        Where others fetch now it stays until the next fetch, for some of it may be theirs.
        """
        alone = _held(self.folder / FETCHING, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(BlockingIOError), alone:
            for folder in self.folder.glob("*/"):
                if not (folder / RECORD).exists():
                    shutil.rmtree(folder, ignore_errors=True)

    def _newest_first(self) -> list[Path]:
        records = sorted(
            self.folder.glob(f"*/{RECORD}"), key=lambda path: path.stat().st_mtime_ns, reverse=True
        )
        return [record.parent for record in records]

    @contextmanager
    def _lock(self, kind: int) -> Iterator[None]:
        """Held by one process that changes what is here, or by all that read.

        It is the folder's own, so that models can be read where nothing can be written.
        """
        with _held(self.folder, kind):
            yield


@contextmanager
def _held(path: Path, kind: int) -> Iterator[None]:
    """A lock on a folder, or on a file that is made where it is missing.

    A process that dies lets go of it.
    """
    held = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, kind)
        yield
    finally:
        os.close(held)


def _is_whole(folder: Path) -> bool:
    try:
        saved_info(folder)
    except ModelError:
        return False
    return True


def _record(folder: Path) -> ModelVersion:
    return msgspec.json.decode((folder / RECORD).read_bytes(), type=ModelVersion)


def _write_record(folder: Path, version: ModelVersion) -> None:
    unfinished = folder / f"{RECORD}.new"
    unfinished.write_bytes(msgspec.json.encode(version))
    unfinished.replace(folder / RECORD)
