"""The candidates of a pipeline run, each trained and evaluated in a nested run of its own."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from taxi_duration.model import plots
from taxi_duration.model.baselines import Baseline
from taxi_duration.model.dataset import Sample
from taxi_duration.model.duration_model import DurationModel, ModelInfo
from taxi_duration.model.features import Floats
from taxi_duration.model.training import fit, importance
from taxi_duration.registry.package import log_model
from taxi_duration.registry.runs import LakeInput, Runs

# The candidate that can serve; the others are what it is measured against.
SERVABLE: Final = "lightgbm"
FLOOR: Final = "floor"

T = TypeVar("T")


class TrainedModel(NamedTuple):
    """The model that can serve, its run, and its id among MLflow's logged models."""

    run_id: str
    model_id: str
    model: DurationModel


@dataclass(frozen=True)
class Candidates:
    """What the candidates of one pipeline run share: the parent run, its tags, and the trips."""

    runs: Runs
    parent: str
    tags: Mapping[str, str]
    lake: LakeInput

    def train_baseline(
        self, name: str, baseline: Baseline, trips: Sample, seed: int, test: Sample
    ) -> tuple[str, Floats]:
        """Fit a baseline; returns its run and its minutes for each test trip, of shape (n,)."""
        params = {**baseline.parameters, "seed": seed}
        with self.runs.candidate(name, self.parent, self.tags, params, self.lake) as run_id:
            predictor = self._timed(run_id, lambda: baseline.fit(trips, seed))
            return run_id, predictor.predict(test.features)

    def train_model(self, train: Sample, calibration: Sample, info: ModelInfo) -> TrainedModel:
        """Fit the model that can serve and store it as a logged model."""
        params = {**info.parameters, "seed": info.seed}
        with self.runs.candidate(SERVABLE, self.parent, self.tags, params, self.lake) as run_id:
            model = self._timed(run_id, lambda: fit(train, calibration, info))
            self.runs.record(run_id, params={"interval_margin": model.info.interval_margin})
            self.runs.draw(run_id, {"importance": plots.importance(importance(model))})
            return TrainedModel(run_id, log_model(self.runs, run_id, SERVABLE, model), model)

    def _timed(self, run_id: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = work()
        self.runs.record(run_id, metrics={"training_seconds": time.perf_counter() - start})
        return result


def record_evaluation(
    runs: Runs,
    run_id: str,
    minutes: Floats,
    predicted: Floats,
    metrics: Mapping[str, float],
    model_id: str | None = None,
) -> None:
    """Log a candidate's figures on its test trips, with plots of its errors."""
    runs.record(run_id, metrics=metrics, model_id=model_id)
    runs.draw(
        run_id,
        {
            "residuals": plots.residuals(minutes, predicted),
            "predicted_against_real": plots.predicted_against_real(minutes, predicted),
        },
    )
