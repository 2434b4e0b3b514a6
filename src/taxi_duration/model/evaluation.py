"""The default model and its baselines, fitted on some trips and measured on others."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from taxi_duration.errors import NoTripsError
from taxi_duration.model.baselines import BASELINES, PAIR
from taxi_duration.model.comparison import by_segment
from taxi_duration.model.dataset import Sample, target_minutes, trip_features
from taxi_duration.model.duration_model import QUANTILES, DurationModel, ModelInfo
from taxi_duration.model.features import FEATURES, Floats
from taxi_duration.model.metrics import answer_metrics, point_metrics
from taxi_duration.model.segments import segments
from taxi_duration.model.split import calibration_start
from taxi_duration.model.training import PARAMETERS, fit

FLOOR: Final = "floor"
MODEL: Final = "model"
# Where nobody says when the test begins: the last fifth of the time that the trips cover.
TEST_SHARE: Final = 0.2
_POINT: Final = ("mae", "rmse", "mape", "within_5")
_INTERVAL: Final = ("coverage_80", "interval_width", "late_5", "pinball")


class Segment(msgspec.Struct, frozen=True):
    """The model and the floor on the test trips of one segment, MAE in minutes."""

    name: str
    trips: int
    mae: float
    floor_mae: float
    coverage_80: float


class Evaluation(msgspec.Struct, frozen=True):
    """How good each predictor is on the test trips: minutes, and shares between 0 and 1."""

    train_trips: int
    test_trips: int
    predictors: dict[str, dict[str, float]]
    segments: list[Segment]


class Trips(NamedTuple):
    """The trips that a model is fitted on, and those that it is tested on."""

    train: pa.Table
    test: pa.Table

    @property
    def train_ends(self) -> datetime:
        """When the last trip of the fit starts."""
        return _moment(_starts(self.train).max())

    @property
    def test_begins(self) -> datetime:
        """When the first trip of the test starts."""
        return _moment(_starts(self.test).min())


def divide(trips: pa.Table, test: pa.Table | None, split: datetime | None) -> Trips:
    """Trips for the fit and for the test, by file, by time, or by both.

    With neither, the last fifth of the time is for the test. Raises NoTripsError where a side is
    empty.
    """
    if split is None and test is None:
        starts = _starts(trips)
        first, last = starts.min(), starts.max()
        split = _moment(last - (last - first) * TEST_SHARE)
    later = trips if test is None else test
    if split is not None:
        moment = np.datetime64(split)
        trips = trips.filter(pa.array(_starts(trips) < moment))
        later = later.filter(pa.array(_starts(later) >= moment))
    for name, side in (("train on", trips), ("test on", later)):
        if not side.num_rows:
            raise NoTripsError(
                f"There are no trips to {name}" + (f": the split is at {split}." if split else "."),
                "Give more trips, or split them at another time.",
            )
    return Trips(trips, later)


def evaluate(trips: Trips, *, seed: int, min_minutes: float, max_minutes: float) -> Evaluation:
    """Fit the default model and every baseline on the one side, and measure them on the other."""
    train, test = _sample(trips.train), _sample(trips.test)
    # LightGBM and scikit-learn let each other run: one thread for the model, one for all the rest.
    with ThreadPoolExecutor(1) as pool:
        fitted = pool.submit(
            fitted_answers, trips, seed=seed, min_minutes=min_minutes, max_minutes=max_minutes
        )
        predictions = {
            name: baseline.fit(train, seed).predict(test.features)
            for name, baseline in BASELINES.items()
        }
        answers = fitted.result()
    figures = {name: point_metrics(test.minutes, row) for name, row in predictions.items()}
    predictors = {name: _chosen(row, _POINT) for name, row in figures.items()}
    of_model = answer_metrics(test.minutes, answers, QUANTILES)
    predictors[MODEL] = _chosen(of_model, (*_POINT, *_INTERVAL))
    return Evaluation(
        train_trips=len(train.minutes),
        test_trips=len(test.minutes),
        predictors=predictors,
        segments=_segments(train, test, answers, predictions[FLOOR]),
    )


def fitted_answers(trips: Trips, *, seed: int, min_minutes: float, max_minutes: float) -> Floats:
    """Lower, prediction and upper of the default model for each test trip, in minutes, (n, 3)."""
    model = fit_default(trips.train, seed=seed, min_minutes=min_minutes, max_minutes=max_minutes)
    return model.predict(_sample(trips.test).features)


def fit_default(
    trips: pa.Table, *, seed: int, min_minutes: float, max_minutes: float
) -> DurationModel:
    """The default model of these trips, the latest of which calibrate its interval."""
    sample, starts = _sample(trips), _starts(trips)
    calibrating = starts >= np.datetime64(calibration_start(starts))
    info = _info(trips, seed, min_minutes, max_minutes)
    return fit(sample.only(~calibrating), sample.only(calibrating), info)


def _segments(train: Sample, test: Sample, answers: Floats, floor: Floats) -> list[Segment]:
    found = by_segment(test.minutes, answers, floor, _masks(train, test), least_trips=1)
    return [Segment(s.name, s.trips, s.mae, s.rival_mae, s.coverage_80) for s in found]


def _masks(train: Sample, test: Sample) -> dict[str, NDArray[np.bool_]]:
    pickup, dropoff = (test.features[:, FEATURES.index(name)] for name in PAIR)
    unseen = ~np.isin(_pairs(test), np.unique(_pairs(train)))
    return {"unseen pair": unseen, **segments(pickup, dropoff, _days_and_hours(test))}


def _days_and_hours(trips: Sample) -> NDArray[np.datetime64]:
    day, hour = (trips.features[:, FEATURES.index(name)] for name in ("day", "hour"))
    microseconds = np.rint(hour * 3_600_000_000).astype("timedelta64[us]")
    return np.asarray(day.astype("datetime64[D]").astype("datetime64[us]") + microseconds)


def _pairs(trips: Sample) -> Floats:
    pickup, dropoff = np.nan_to_num(trips.features[:, [FEATURES.index(name) for name in PAIR]]).T
    return np.asarray(pickup * 100 + dropoff)


def _chosen(figures: Mapping[str, float], names: tuple[str, ...]) -> dict[str, float]:
    return {name: figures[name] for name in names}


def _sample(trips: pa.Table) -> Sample:
    return Sample(trip_features(trips), target_minutes(trips))


def _starts(trips: pa.Table) -> NDArray[np.datetime64]:
    return np.asarray(trips["trip_start_timestamp"].to_numpy())


def _moment(start: np.datetime64) -> datetime:
    moment: datetime = start.astype("datetime64[us]").item()
    return moment


def _info(trips: pa.Table, seed: int, min_minutes: float, max_minutes: float) -> ModelInfo:
    months = np.unique(_starts(trips).astype("datetime64[M]"))
    return ModelInfo(
        features=FEATURES,
        source="files",
        months=tuple(map(str, months)),
        lake_uri="",
        lake_version=0,
        train_trips=trips.num_rows,
        calibration_trips=0,
        seed=seed,
        parameters=PARAMETERS,
        created_at=datetime.now(UTC),
        min_minutes=min_minutes,
        max_minutes=max_minutes,
    )
