"""A search in MLflow: one run for the study, one nested run for each of its trials."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from mlflow.entities import Metric, Param, Run, RunStatus, ViewType
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from taxi_duration.registry.runs import Runs

if TYPE_CHECKING:
    from taxi_duration.model.search import Trial

STUDY_TAG: Final = "study"
TRIAL_TAG: Final = "trial"
STATE_TAG: Final = "state"
# A trial that was interrupted is no finished run.
_STATUS: Final = {"fail": RunStatus.KILLED}
# The most that MLflow answers at a time; no search comes near it.
_MOST_RUNS: Final = 5_000


@dataclass(frozen=True)
class TrialRuns:
    """The run of a study, and the numbers of the trials that have runs below it."""

    runs: Runs
    run_id: str
    tags: Mapping[str, str]
    logged: set[int]

    @classmethod
    def of(cls, runs: Runs, study: str, parent: str, tags: Mapping[str, str]) -> Self:
        """The run of a study: that of an earlier attempt, else a new one nested in `parent`."""
        found = _search(runs, f"tags.{STUDY_TAG} = '{study}'")
        if not found:
            run_id = runs.start("search", {**tags, STUDY_TAG: study}, parent)
            return cls(runs, run_id, tags, set())
        run_id = found[0].info.run_id
        logged = set()
        for run in _search(runs, f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'"):
            if TRIAL_TAG in run.data.tags:
                logged.add(int(run.data.tags[TRIAL_TAG]))
            else:
                # Its search was killed while it was being written.
                runs.client.delete_run(run.info.run_id)
        return cls(runs, run_id, tags, logged)

    def log(self, trial: "Trial") -> None:
        """Make the run of a trial that ended, unless it has one.

        Its metric `best_validation_mae` is what counts, in minutes, and `validation_mae` how it
        came to that, with the rounds as steps.
        """
        if trial.number in self.logged:
            return
        client, started = self.runs.client, round(trial.started * 1000)
        ended = started + round(trial.seconds * 1000)
        tags = {**self.tags, MLFLOW_PARENT_RUN_ID: self.run_id, STATE_TAG: trial.state}
        run = client.create_run(
            self.runs.experiment_id, start_time=started, tags=tags, run_name=f"trial {trial.number}"
        )
        params = {**trial.parameters, "rounds": trial.rounds}
        best = (
            [Metric("best_validation_mae", trial.mae, ended, trial.rounds)] if trial.curve else []
        )
        client.log_batch(
            run.info.run_id,
            params=[Param(name, str(value)) for name, value in params.items()],
            metrics=[
                *(Metric("validation_mae", mae, ended, step) for step, mae in trial.curve.items()),
                *best,
                Metric("seconds", trial.seconds, ended, 0),
            ],
        )
        status = _STATUS.get(trial.state, RunStatus.FINISHED)
        client.set_terminated(run.info.run_id, RunStatus.to_string(status), end_time=ended)
        # Last: a run without its number is not whole, and made again.
        client.set_tag(run.info.run_id, TRIAL_TAG, str(trial.number))
        self.logged.add(trial.number)


def _search(runs: Runs, filter_string: str) -> list[Run]:
    return list(
        runs.client.search_runs(
            [runs.experiment_id], filter_string, ViewType.ACTIVE_ONLY, max_results=_MOST_RUNS
        )
    )
