"""The model that serves: a median and an interval in minutes, kept as text that can be checked.

A saved model is a folder of three LightGBM text files and `model.json`, which says what the model
was made from, holds the hash of each text file, and a few golden trips with the answers that the
model gave when it was fitted. Nothing in it is executed when it is read.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Final, Self

import lightgbm as lgb
import msgspec
import numpy as np

from taxi_duration.errors import UNREADABLE, DamagedModelError, OtherFeaturesError
from taxi_duration.model.bitvectors import Bitvectors, Cell, representable
from taxi_duration.model.features import (
    FEATURES,
    FEATURES_OF,
    Floats,
    feature_row,
)
from taxi_duration.model.groups import GROUPS, Seen, pair_groups, pair_number, pair_numbers

# The folder that a stored version keeps the model's files in, beside what MLflow needs.
MODEL_FOLDER: Final = "duration_model"
INFO_FILE: Final = "model.json"
# The quantile of each booster, in the order of the columns that `predict` answers.
QUANTILES: Final = {"lower": 0.1, "prediction": 0.5, "upper": 0.9}
# All that `save` writes and `load` reads.
MODEL_FILES: Final = (INFO_FILE, *(f"{name}.txt" for name in QUANTILES))
# Minutes by which a golden answer may differ: another processor may add up to another last bit, and
# round to the next hundredth.
GOLDEN_TOLERANCE: Final = 0.015
# Answers that are kept; 8,192 take 4 MB. Most of what is asked is about now, and at a time of day
# there are fewer pairs of areas that people ride between.
MOST_KEPT: Final = 8_192
COVERAGE: Final = QUANTILES["upper"] - QUANTILES["lower"]


class Answer(msgspec.Struct, frozen=True):
    """What the model says of one trip, in minutes."""

    lower: float
    prediction: float
    upper: float


class GoldenTrip(msgspec.Struct, frozen=True):
    """A trip (areas None where unknown, start in Chicago local time) and its answer."""

    pickup_community_area: int | None
    dropoff_community_area: int | None
    trip_start_timestamp: datetime
    answer: Answer


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was made from, and how to tell that it is whole."""

    features: tuple[str, ...]
    source: str
    months: tuple[str, ...]
    lake_uri: str
    lake_version: int
    train_trips: int
    calibration_trips: int
    seed: int
    parameters: dict[str, float | int | str | bool]
    # When it was fitted, UTC.
    created_at: datetime
    # Durations outside these bounds, in minutes, counted as no trip.
    min_minutes: float
    max_minutes: float
    # Minutes by which calibration widened the interval on either side (negative: narrowed), and by
    # how much in each of GROUPS; a group without a margin of its own has the common.
    interval_margin: float = 0.0
    group_margins: dict[str, float] = {}
    # What tells pairs apart that nothing was learned from; None in models that do not.
    seen_pairs: Seen | None = None
    golden: tuple[GoldenTrip, ...] = ()


class _ModelFile(msgspec.Struct, frozen=True):
    info: ModelInfo
    sha256: dict[str, str]


# The trees of all boosters, and the answer to the rows of a cell.
_Rows = tuple[Bitvectors, Callable[[Cell], Floats]]


class DurationModel:
    """Three boosters (10% quantile, median, 90% quantile) whose interval was calibrated."""

    def __init__(self, boosters: Sequence[lgb.Booster], info: ModelInfo) -> None:
        self.boosters = tuple(boosters)
        self.info = info
        margins = [info.group_margins.get(name, info.interval_margin) for name in GROUPS]
        # By the number of the pair.
        self._margins = np.array(margins)[pair_groups(info.seen_pairs)]
        self._rows: _Rows | None = None

    def predict(self, features: Floats, *, threads: int = 1) -> Floats:
        """Lower, prediction and upper in minutes, of shape (n, 3), for (n, len(FEATURES)).

        Rows never cross (lower ≤ prediction ≤ upper) and stay between the shortest and the longest
        trip.
        One thread is the fastest for few trips. Answers are hundredths of a minute: more digits
        would say more than anybody knows of a trip.
        """
        minutes = np.column_stack([b.predict(features, num_threads=threads) for b in self.boosters])
        margins = self._margins[pair_numbers(features)]
        minutes[:, 0] -= margins
        minutes[:, 2] += margins
        minutes[:, 0] = np.minimum(minutes[:, 0], minutes[:, 1])
        minutes[:, 2] = np.maximum(minutes[:, 2], minutes[:, 1])
        shortest, longest = max(self.info.min_minutes, 0.0), self.info.max_minutes
        return np.asarray(np.clip(minutes, shortest, longest).round(2))

    def predict_row(self, features: Floats) -> Floats:
        """What `predict` answers to the features of one trip, (1, len(FEATURES)), bit for bit.

        Far faster where `prepare_rows` was called, as it is when a model is loaded, and faster
        still for a trip that was asked lately. The answer is not to be changed.
        """
        if self._rows is None:
            return self.predict(features)
        trees, minutes = self._rows
        return minutes(trees.cell(features))

    def predict_few(self, features: Floats) -> Floats:
        """What `predict` answers, bit for bit, row by row.

        Where `prepare_rows` was called that takes two thirds of the time, or less where trips were
        asked lately. But no other thread goes on meanwhile, as they do beside LightGBM.
        """
        if self._rows is None or not len(features):
            return self.predict(features)
        return np.concatenate([self.predict_row(features[n : n + 1]) for n in range(len(features))])

    def prepare_rows(self) -> None:
        """Make `predict_row` fast; it stays slow where the boosters' trees are too large for that.

        It takes some 0.2 s.
        """
        texts = self.texts()
        if not representable(texts):
            return
        trees = Bitvectors(texts, FEATURES_OF)
        bounds = max(self.info.min_minutes, 0.0), self.info.max_minutes
        # Of the trees and not of `self`, so that a model that is replaced is freed at once.
        self._rows = trees, lru_cache(MOST_KEPT)(partial(_minutes, trees, self._margins, bounds))

    def save(self, folder: Path) -> None:
        """Write the model's files into `folder`, which is made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        sha256 = {}
        for name, text in zip(_text_files(), self.texts(), strict=True):
            (folder / name).write_bytes(text)
            sha256[name] = hashlib.sha256(text).hexdigest()
        content = msgspec.json.encode(_ModelFile(self.info, sha256))
        (folder / INFO_FILE).write_bytes(msgspec.json.format(content, indent=2))

    def texts(self) -> tuple[bytes, ...]:
        """The boosters as LightGBM's text: the same for the same trips and seed."""
        return tuple(booster.model_to_string().encode() for booster in self.boosters)

    @classmethod
    def load(cls, folder: Path, address: str = "") -> Self:
        """The model in `folder`, once its hashes and its golden answers are right.

        Errors name it by its `address`, if any: of a copy that is gone soon, where it came from.
        Raises DamagedModelError where they are not, OtherFeaturesError where the model was made for
        other features than this code has.
        """
        address = address or str(folder)
        content = _read(folder, address)
        if content.info.features != FEATURES:
            raise OtherFeaturesError(
                f"The model {address} expects other features than this version makes.",
                "Train a model with this version, or run the version that trained it.",
            )
        boosters = [
            lgb.Booster(model_str=_text(folder, address, name, content.sha256.get(name)))
            for name in _text_files()
        ]
        model = cls(boosters, content.info)
        model.prepare_rows()
        model.check()
        return model

    def check(self) -> None:
        """Answer the golden trips.

        Raises DamagedModelError where an answer is another one, or where there is none to compare.
        """
        _raise_without_golden_trips(self.info)
        for trip in self.info.golden:
            answer = self.answer(
                trip.pickup_community_area, trip.dropoff_community_area, trip.trip_start_timestamp
            )
            expected, got = msgspec.structs.astuple(trip.answer), msgspec.structs.astuple(answer)
            if not np.allclose(expected, got, rtol=0, atol=GOLDEN_TOLERANCE):
                raise DamagedModelError(
                    f"The model answers {answer} to its golden trip {trip}.", "Train it again."
                )

    def answer(self, pickup: int | None, dropoff: int | None, start: datetime) -> Answer:
        """The answer to one trip; the areas are None where they are unknown."""
        return Answer(*self.predict_row(feature_row(pickup, dropoff, start))[0].tolist())


def _minutes(trees: Bitvectors, margins: Floats, bounds: tuple[float, float], cell: Cell) -> Floats:
    """Lower, prediction and upper of the trips of a cell, of shape (1, 3), not to be changed."""
    lower, prediction, upper = trees.predict(cell)
    margin = margins.item(pair_number(*np.frombuffer(cell[0], count=2).tolist()))
    shortest, longest = bounds
    ordered = (min(lower - margin, prediction), prediction, max(upper + margin, prediction))
    # As `numpy.round` does it; Python's own rounds the decimal number, which may be another.
    minutes = np.array(
        [[round(min(max(value, shortest), longest) * 100) / 100 for value in ordered]]
    )
    minutes.flags.writeable = False
    return minutes


def _text_files() -> tuple[str, ...]:
    return MODEL_FILES[1:]


def _read(folder: Path, address: str) -> _ModelFile:
    try:
        return msgspec.json.decode((folder / INFO_FILE).read_bytes(), type=_ModelFile)
    except (OSError, *UNREADABLE) as error:
        raise _damaged(address, INFO_FILE, error) from error


def saved_info(folder: Path, address: str = "") -> ModelInfo:
    """What the model in `folder` says of itself, once its files have their hashes.

    It may be a model for other features than this code has, which another version of the code
    answers with. Raises DamagedModelError, which names its `address` if any, where it is not whole.
    """
    address = address or str(folder)
    content = _read(folder, address)
    for name in _text_files():
        _text(folder, address, name, content.sha256.get(name))
    _raise_without_golden_trips(content.info)
    return content.info


def _raise_without_golden_trips(info: ModelInfo) -> None:
    if not info.golden:
        raise DamagedModelError(
            "The model has no golden trips that could be compared.", "Train it again."
        )


def _text(folder: Path, address: str, name: str, sha256: str | None) -> str:
    try:
        text = (folder / name).read_bytes()
    except OSError as error:
        raise _damaged(address, name, error) from error
    if hashlib.sha256(text).hexdigest() != sha256:
        raise _damaged(address, name, f"its hash is not the one in {INFO_FILE}")
    return text.decode()


def _damaged(address: str, name: str, why: Exception | str) -> DamagedModelError:
    # The path, which an OSError adds, may be of a copy that is gone soon.
    said = why.strerror if isinstance(why, OSError) else why
    return DamagedModelError(
        f"{address}/{name} is not the file that was saved: {said}.",
        "Fetch or train the model again.",
    )
