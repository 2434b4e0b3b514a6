"""The training branch, one function a block: features, models, evaluation, registration.

Each takes what the block before it returned and returns that with its own keys added: addresses,
counts and figures. Trips, features and predictions travel through S3, models through MLflow.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from taxi_duration.errors import ModelError
from taxi_duration.model.baselines import BASELINES
from taxi_duration.model.dataset import Sample
from taxi_duration.model.duration_model import QUANTILES, ModelInfo
from taxi_duration.model.features import FEATURES, Floats
from taxi_duration.model.metrics import interval_metrics, point_metrics
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
from taxi_duration.registry.candidates import FLOOR, SERVABLE, Candidates, record_evaluation
from taxi_duration.registry.champion import champion, load
from taxi_duration.registry.client import registry_errors
from taxi_duration.registry.description import describe
from taxi_duration.registry.promotion import Challenger, Comparison, decide, register, settle
from taxi_duration.registry.runs import LakeInput, Runs
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import REQUIRED_COLUMNS

log = logging.getLogger(__name__)

Reference = dict[str, Any]


def build_features(settings: Settings, cleaned: Reference) -> Reference:
    """Store the features of the run's trips: the months of history train, the run's month tests.

    Adds `features`: the S3 URI, the trips of each part, and when the later parts begin.
    """
    month = Month.parse(cleaned["month"])
    trips = Lake(Storage.from_settings(settings), cleaned["source"]).read(
        [*map(Month.parse, cleaned["history"]), month],
        version=cleaned["lake"]["version"],
        columns=REQUIRED_COLUMNS,
    )
    split = split_by_time(trips["trip_start_timestamp"].to_numpy(), month.start)
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

    Adds `run_id` (the parent run), `candidates` (run ids by name), `model_id` (of the one that can
    serve) and `predictions` (an S3 URI).
    """
    with registry_errors(settings):
        runs = Runs.connect(settings)
        parent = runs.start(f"{built['month']} {built['source']}", _tags(built))
        with runs.ending(parent):
            runs.read(parent, _lake_input(built))
            candidates = Candidates(runs, parent, _tags(built), _lake_input(built))
            trained, predictions = _train(settings, built, candidates)
            uri = write_predictions(settings, built, predictions)
    log.info("run: %s/#/experiments/%s/runs/%s", settings.mlflow_url, runs.experiment_id, parent)
    return {**built, "run_id": parent, **trained, "predictions": uri}


def evaluate_models(settings: Settings, trained: Reference) -> Reference:
    """Score every candidate, and the champion, on the same test trips.

    Adds `metrics` by candidate, `best`, `compared` (the champion's version, source and MAE, or why
    it cannot be scored) and `champion_metrics`, empty where there is no champion to score.
    """
    predictions = read_predictions(settings, trained)
    with registry_errors(settings):
        runs = Runs.connect(settings)
        with runs.ending(trained["run_id"]):
            metrics = {
                name: _evaluate(runs, trained, name, predictions) for name in trained["candidates"]
            }
            compared, champion_metrics = _score_champion(settings, trained)
            summary = {f"{name}_mae": figures["mae"] for name, figures in metrics.items()}
            if champion_metrics:
                summary["champion_mae"] = champion_metrics["mae"]
            runs.record(trained["run_id"], metrics=summary)
    told = ", ".join(f"{name} {mae:.3f}" for name, mae in summary.items())
    log.info("minutes on %d test trips: %s", trained["features"][TEST], told)
    return {
        **trained,
        "metrics": metrics,
        "best": min(metrics, key=lambda name: metrics[name]["mae"]),
        "compared": compared._asdict(),
        "champion_metrics": champion_metrics,
    }


def register_model(settings: Settings, evaluated: Reference) -> Reference:
    """Register the model that can serve; the alias moves to it where the rules promote it.

    Adds `version`, `champion` (the version that holds the alias now, or empty), `promoted` and
    `reason`. A model that is refused is no failure: that is the rules at work.
    """
    challenger, compared = _challenger(evaluated), Comparison(**evaluated["compared"])
    with registry_errors(settings):
        runs = Runs.connect(settings)
        with runs.ending(evaluated["run_id"]):
            registered = register(settings, challenger)
            decision = decide(challenger, compared, replace_source=evaluated["replace_source"])
            description = _description(settings, evaluated)
            decision = settle(settings, registered, decision, compared, description)
            tags = {"version": registered.version, "reason": decision.reason}
            runs.record(evaluated["run_id"], tags=tags)
    holder = champion(settings)
    return {
        **evaluated,
        "version": registered.version,
        "champion": holder.version if holder else "",
        "promoted": decision.promoted,
        "reason": decision.reason,
    }


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
    trained = candidates.train_model(train, calibration, _model_info(settings, built))
    run_ids[SERVABLE] = trained.run_id
    answers = trained.model.predict(test.features)
    predictions |= dict(zip(_answer_columns(), answers.T, strict=True))
    return {"candidates": run_ids, "model_id": trained.model_id}, predictions


def _evaluate(
    runs: Runs, trained: Reference, name: str, predictions: dict[str, Floats]
) -> dict[str, float]:
    minutes, predicted = predictions[MINUTES], predictions[name]
    metrics, model_id = point_metrics(minutes, predicted), None
    if name == SERVABLE:
        lower, _, upper = (predictions[column] for column in _answer_columns())
        metrics |= interval_metrics(minutes, lower, upper)
        model_id = trained["model_id"]
    record_evaluation(runs, trained["candidates"][name], minutes, predicted, metrics, model_id)
    return metrics


def _score_champion(settings: Settings, trained: Reference) -> tuple[Comparison, dict[str, float]]:
    holder = champion(settings)
    if not holder:
        return Comparison(), {}
    try:
        model = load(settings, holder)
    except ModelError as error:
        log.warning("champion %s cannot be scored: %s", holder.version, error)
        return Comparison(holder.version, holder.source, fault=str(error)), {}
    test = read_parts(settings, trained)[TEST]
    metrics = point_metrics(test.minutes, model.predict(test.features)[:, 1])
    return Comparison(holder.version, holder.source, metrics["mae"]), metrics


def _challenger(evaluated: Reference) -> Challenger:
    return Challenger(
        model_id=evaluated["model_id"],
        run_id=evaluated["candidates"][SERVABLE],
        source=evaluated["source"],
        months=evaluated["history"],
        metrics=evaluated["metrics"][SERVABLE],
        floor_mae=evaluated["metrics"][FLOOR]["mae"],
    )


def _description(settings: Settings, evaluated: Reference) -> str:
    figures = dict(evaluated["metrics"])
    if evaluated["champion_metrics"]:
        name = f"champion (version {evaluated['compared']['version']})"
        figures[name] = evaluated["champion_metrics"]
    features = evaluated["features"]
    return describe(_model_info(settings, evaluated), evaluated["month"], features[TEST], figures)


def _model_info(settings: Settings, built: Reference) -> ModelInfo:
    return ModelInfo(
        features=FEATURES,
        source=built["source"],
        months=tuple(built["history"]),
        lake_uri=built["lake"]["uri"],
        lake_version=built["lake"]["version"],
        train_trips=built["features"][TRAIN],
        calibration_trips=built["features"][CALIBRATION],
        seed=built["seed"],
        parameters=PARAMETERS,
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
    }


def _lake_input(built: Reference) -> LakeInput:
    trips = sum(built["features"][name] for name in PARTS)
    return LakeInput(built["source"], built["lake"]["uri"], built["lake"]["version"], trips)


def _answer_columns() -> tuple[str, ...]:
    """The columns of the servable candidate: the prediction's bears its name, as all others' do."""
    return tuple(SERVABLE if name == "prediction" else name for name in QUANTILES)
