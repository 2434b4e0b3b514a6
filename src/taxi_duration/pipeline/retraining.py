"""Training an earlier run's model again, from the same version of the lake, to compare the two."""

import hashlib
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from deltalake.exceptions import DeltaError

from taxi_duration.errors import MissingObjectError, NoTripsError, ReproductionError
from taxi_duration.model.dataset import Sample, target_minutes, trip_features
from taxi_duration.model.duration_model import INFO_FILE, DurationModel, ModelInfo
from taxi_duration.model.features import FEATURES
from taxi_duration.model.training import fit
from taxi_duration.registry.runs import commit
from taxi_duration.registry.trained import TrainedRun, trained_run
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import REQUIRED_COLUMNS

# When a model was made is all that may differ in what it says of itself.
_DATE: Final = "created_at"
# The pipeline has a part of MLflow under another name.
_INSTALLED: Final = {"mlflow": "mlflow-skinny"}


class FileComparison(NamedTuple):
    """SHA-256 of a model's file as it is stored and as it came out again; empty: there is none."""

    name: str
    stored: str
    again: str
    # The first line that differs, counted from 1; 0 where none does.
    line: int

    @property
    def same(self) -> bool:
        """Whether the two are equal, bit by bit."""
        return self.stored == self.again


class Retrained(NamedTuple):
    """How an earlier model compares with the same one trained again."""

    run: TrainedRun
    files: list[FileComparison]
    # What else the two models say of themselves: interval, golden answers, trips.
    facts: list[str]
    # What is not as it was then, and may explain a difference: features, libraries, code.
    changes: list[str]

    @property
    def same(self) -> bool:
        """Whether the two models are equal."""
        return not self.facts and all(file.same for file in self.files)


def retrain(settings: Settings, run_id: str) -> Retrained:
    """Train the model of a run again and compare the two.

    Raises ReproductionError where the run or the lake do not hold any more what that takes,
    RegistryError where MLflow cannot be reached, StorageError where S3 cannot.
    """
    # First: the same trouble would come by way of MLflow too, but minutes later.
    Storage.from_settings(settings).check_bucket()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "stored").mkdir()
        run = trained_run(settings, run_id, folder / "stored")
        _train_again(settings, run).save(folder / "again")
        names = sorted(
            {path.name for path in [*run.files.iterdir(), *(folder / "again").iterdir()]}
        )
        return Retrained(
            run,
            [_compare(run.files / n, folder / "again" / n) for n in names if n != INFO_FILE],
            _different_facts(run.files / INFO_FILE, folder / "again" / INFO_FILE),
            _changes(run, commit(settings)),
        )


def _train_again(settings: Settings, run: TrainedRun) -> DurationModel:
    trips = _trips(settings, run)
    calibrating = trips["trip_start_timestamp"].to_numpy() >= np.datetime64(run.calibration_from)
    train, calibration = (
        _sample(trips.filter(pa.array(mask))) for mask in (~calibrating, calibrating)
    )
    # What has a default is what a fit fills in; it must not begin with the answers.
    given = {
        field.name: getattr(run.info, field.name)
        for field in msgspec.structs.fields(ModelInfo)
        if field.required
    }
    found = {
        "features": FEATURES,
        "train_trips": len(train.minutes),
        "calibration_trips": len(calibration.minutes),
    }
    return fit(train, calibration, ModelInfo(**{**given, **found}))


def _sample(trips: pa.Table) -> Sample:
    return Sample(trip_features(trips), target_minutes(trips))


def _trips(settings: Settings, run: TrainedRun) -> pa.Table:
    """The trips of the run's history, as they were when it was trained."""
    info = run.info
    lake = Lake(Storage.from_settings(settings), info.source)
    if lake.uri != info.lake_uri:
        raise ReproductionError(
            f"The run {run.run_id} read {info.lake_uri}; these settings have {lake.uri}.",
            "Set TAXI_S3_BUCKET to the bucket of that time.",
        )
    try:
        trips = lake.read(
            [Month.parse(month) for month in info.months],
            version=info.lake_version,
            columns=REQUIRED_COLUMNS,
        )
    except (DeltaError, MissingObjectError, NoTripsError) as error:
        raise ReproductionError(
            f"Version {info.lake_version} of {info.lake_uri} cannot be read any more: {error}",
            "It was removed, or the lake was made anew since.",
        ) from error
    if not run.test_from:
        return trips
    earlier = trips["trip_start_timestamp"].to_numpy() < np.datetime64(run.test_from)
    return trips.filter(pa.array(earlier))


def _compare(stored: Path, again: Path) -> FileComparison:
    then, now = (path.read_bytes() if path.exists() else b"" for path in (stored, again))
    return FileComparison(stored.name, _sha256(then), _sha256(now), _first_difference(then, now))


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest() if text else ""


def _first_difference(then: bytes, now: bytes) -> int:
    lines, others = then.splitlines(), now.splitlines()
    for number, (line, other) in enumerate(zip(lines, others, strict=False), start=1):
        if line != other:
            return number
    return 0 if then == now else min(len(lines), len(others)) + 1


def _different_facts(stored: Path, again: Path) -> list[str]:
    then, now = (_facts(path) for path in (stored, again))
    return [
        f"{name}: {_short(then.get(name))} stored, {_short(now.get(name))} trained again"
        for name in sorted({*then, *now} - {_DATE})
        if then.get(name) != now.get(name)
    ]


def _facts(path: Path) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = msgspec.json.decode(path.read_bytes())["info"]
    return facts


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _changes(run: TrainedRun, now_at: str) -> list[str]:
    changes = []
    if run.info.features != FEATURES:
        gone, new = set(run.info.features) - {*FEATURES}, set(FEATURES) - {*run.info.features}
        detail = [f"without {', '.join(sorted(gone))}"] if gone else []
        detail += [f"with {', '.join(sorted(new))}"] if new else []
        changes.append(f"features: now {' and '.join(detail) or 'in another order'}")
    for name, then in run.libraries.items():
        now = version(_INSTALLED.get(name, name))
        if now != then:
            changes.append(f"{name}: {then} then, {now} now")
    if run.commit and run.commit != now_at:
        changes.append(f"code: commit {run.commit[:12]} then, {now_at[:12] or 'unknown'} now")
    return changes
