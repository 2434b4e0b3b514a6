"""The training branch up to the gate, one function a block: features, models, evaluation.

Each takes what the block before it returned and returns that with its own keys added: addresses,
counts and figures. Trips, features and predictions travel through S3, models through MLflow.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from taxi_duration.model.baselines import BASELINES
from taxi_duration.model.dataset import Sample
from taxi_duration.model.duration_model import QUANTILES, ModelInfo
from taxi_duration.model.features import FEATURES, Floats
from taxi_duration.model.metrics import answer_metrics, late_share, point_metrics
from taxi_duration.model.split import split_by_time
from taxi_duration.model.training import PARAMETERS
from taxi_duration.pipeline.training_tables import (
    CALIBRATION,
    MINUTES,
    PARTS,
    TEST,
    TRAIN,
    read_parts,
    read_predictions,
    write_features,
    write_predictions,
)
from taxi_duration.registry.candidates import SERVABLE, Candidates, record_evaluation
from taxi_duration.registry.client import registry_errors
from taxi_duration.registry.runs import LakeInput, Runs
from taxi_duration.registry.trained import CALIBRATION_TAG, TEST_TAG
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import REQUIRED_COLUMNS

log = logging.getLogger(__name__)

Reference = dict[str, Any]

# As many as the gate needs to draw whole days.
RETRAINING_TEST_DAYS: Final = 10


def build_features(settings: Settings, cleaned: Reference) -> Reference:
    """Store the features of the run's trips: the months of history train, the run's month tests.

    In a retraining the month's first days train as well, and its last RETRAINING_TEST_DAYS test.
    Adds `features`: the S3 URI, the trips of each part, and when the later parts begin.
    """
    month = Month.parse(cleaned["month"])
    trips = Lake(Storage.from_settings(settings), cleaned["source"]).read(
        [Month.parse(name) for name in dict.fromkeys([*cleaned["history"], cleaned["month"]])],
        version=cleaned["lake"]["version"],
        columns=REQUIRED_COLUMNS,
    )
    test_from = _test_from(cleaned, month)
    split = split_by_time(trips["trip_start_timestamp"].to_numpy(), test_from)
    features = {
        "uri": write_features(settings, cleaned, trips, split),
        **{name: int(mask.sum()) for name, mask in zip(PARTS, split[:3], strict=True)},
        "split": {
            CALIBRATION: split.calibration_from.isoformat(),
            TEST: split.test_from.isoformat(),
        },
    }
    log.info("features: %s", features)
    return {**cleaned, "features": features}


def train_models(settings: Settings, built: Reference) -> Reference:
    """Fit every candidate on the same trips, each in a nested run, and predict the test trips.

    Where the run has a budget for it, better parameters are searched for first, on the train part.
    Adds `run_id` (the parent run), `candidates` (run ids by name), `model_id` and `parameters` (of
    the one that can serve) and `predictions` (an S3 URI).
    """
    with registry_errors(settings):
        runs = Runs.connect(settings)
        parent = runs.start(f"{built['month']} {built['source']}", _tags(built))
        with runs.ending(parent):
            runs.read(parent, _lake_input(built))
            candidates = Candidates(runs, parent, _tags(built), _lake_input(built))
            trained, predictions = _train(settings, built, candidates)
            uri = write_predictions(settings, built, predictions)
    log.info("run: %s/#/experiments/%s/runs/%s", settings.mlflow_pages, runs.experiment_id, parent)
    return {**built, "run_id": parent, **trained, "predictions": uri}


def evaluate_models(settings: Settings, trained: Reference) -> Reference:
    """Score every candidate on the same test trips.

    Adds `metrics` by candidate, and `best`.
    """
    predictions = read_predictions(settings, trained)
    with registry_errors(settings):
        runs = Runs.connect(settings)
        with runs.ending(trained["run_id"]):
            metrics = {
                name: _evaluate(runs, trained, name, predictions) for name in trained["candidates"]
            }
            summary = {f"{name}_mae": figures["mae"] for name, figures in metrics.items()}
            runs.record(trained["run_id"], metrics=summary)
    told = ", ".join(f"{name} {mae:.3f}" for name, mae in summary.items())
    log.info("minutes on %d test trips: %s", trained["features"][TEST], told)
    return {
        **trained,
        "metrics": metrics,
        "best": min(metrics, key=lambda name: metrics[name]["mae"]),
    }


def _test_from(cleaned: Reference, month: Month) -> datetime:
    if cleaned.get("retraining"):
        return month.end - timedelta(days=RETRAINING_TEST_DAYS)
    return month.start


def _train(
    settings: Settings, built: Reference, candidates: Candidates
) -> tuple[Reference, dict[str, Floats]]:
    parts, seed = read_parts(settings, built), built["seed"]
    train, calibration, test = parts[TRAIN], parts[CALIBRATION], parts[TEST]
    history = Sample.join(train, calibration)
    run_ids, predictions = {}, {MINUTES: test.minutes}
    for name, baseline in BASELINES.items():
        run_ids[name], predictions[name] = candidates.train_baseline(
            name, baseline, history, seed, test
        )
    built = {**built, "parameters": _parameters(settings, built, candidates, parts)}
    trained = candidates.train_model(train, calibration, model_info(settings, built))
    run_ids[SERVABLE] = trained.run_id
    answers = trained.model.predict(test.features)
    predictions |= dict(zip(_answer_columns(), answers.T, strict=True))
    added = {"model_id": trained.model_id, "parameters": built["parameters"]}
    return {"candidates": run_ids, **added}, predictions


def _parameters(
    settings: Settings, built: Reference, candidates: Candidates, parts: Mapping[str, Sample]
) -> dict[str, Any]:
    """The best known parameters, or those that a search finds where one was asked for."""
    budget = built.get("search", {})
    if not any(budget.values()):
        return PARAMETERS
    # Seldom needed.
    from taxi_duration.model.search import History  # noqa: PLC0415
    from taxi_duration.pipeline.search import search_parameters  # noqa: PLC0415

    return search_parameters(
        settings,
        candidates.runs,
        candidates.parent,
        candidates.tags,
        History(parts[TRAIN], parts[CALIBRATION]),
        built["seed"],
        budget,
    )


def _evaluate(
    runs: Runs, trained: Reference, name: str, predictions: dict[str, Floats]
) -> dict[str, float]:
    minutes, predicted = predictions[MINUTES], predictions[name]
    if name == SERVABLE:
        answers = np.column_stack([predictions[column] for column in _answer_columns()])
        metrics, model_id = answer_metrics(minutes, answers, QUANTILES), trained["model_id"]
    else:
        late = late_share(minutes, predicted)
        metrics, model_id = {**point_metrics(minutes, predicted), "late_5": late}, None
    record_evaluation(runs, trained["candidates"][name], minutes, predicted, metrics, model_id)
    return metrics


def model_info(settings: Settings, built: Reference) -> ModelInfo:
    """What the run's model is made from, as `build_features` and `train_models` handed it on."""
    return ModelInfo(
        features=FEATURES,
        source=built["source"],
        months=tuple(built["history"]),
        lake_uri=built["lake"]["uri"],
        lake_version=built["lake"]["version"],
        train_trips=built["features"][TRAIN],
        calibration_trips=built["features"][CALIBRATION],
        seed=built["seed"],
        parameters=built["parameters"],
        created_at=datetime.now(UTC),
        min_minutes=settings.min_minutes,
        max_minutes=settings.max_minutes,
    )


def _tags(built: Reference) -> dict[str, str]:
    return {
        "source": built["source"],
        "month": built["month"],
        "months": " ".join(built["history"]),
        "lake_version": str(built["lake"]["version"]),
        CALIBRATION_TAG: built["features"]["split"][CALIBRATION],
        TEST_TAG: built["features"]["split"][TEST],
    }


def _lake_input(built: Reference) -> LakeInput:
    trips = sum(built["features"][name] for name in PARTS)
    return LakeInput(built["source"], built["lake"]["uri"], built["lake"]["version"], trips)


def _answer_columns() -> tuple[str, ...]:
    """The columns of the servable candidate: the prediction's bears its name, as all others' do."""
    return tuple(SERVABLE if name == "prediction" else name for name in QUANTILES)
