"""A search against real servers: its study in Postgres, its runs in MLflow."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
import pytest
from mlflow.entities import Run
from optuna.storages import InMemoryStorage
from sqlalchemy import text

from monitored import with_own_database
from taxi_duration.model.dataset import Sample
from taxi_duration.model.search import (
    Budget,
    Found,
    History,
    Parameters,
    Trial,
    confirm,
    search,
    study_name,
)
from taxi_duration.model.training import PARAMETERS
from taxi_duration.monitoring.database import connect
from taxi_duration.pipeline.search import search_parameters, study_storage
from taxi_duration.pipeline.training import build_features, train_models
from taxi_duration.registry.runs import Runs
from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack.resolved import as_environment
from taxi_duration.storage import Storage
from taxi_duration.trips.clean import QUARANTINE_SCHEMA, CleanMonth
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from trips_factory import make_trips, sample

pytestmark = pytest.mark.stack

TAGS = {"source": "simulated", "months": "2019-01"}
SEED = 7
TRIALS = 12
PATIENCE_SECONDS = 90


@cache
def trips() -> Sample:
    return sample(make_trips("2019-01", count=3_000))


@cache
def later() -> Sample:
    """Trips that have no part in the search, and confirm its winner."""
    return sample(make_trips("2019-02", count=1_000))


def history() -> History:
    return History(trips(), later())


@cache
def uninterrupted() -> Found:
    return search(InMemoryStorage(), "study", trips(), SEED, Budget(TRIALS))


@cache
def confirmed() -> Parameters:
    return confirm(uninterrupted(), history(), SEED).parameters


def searched(settings: Settings, trials: int = TRIALS) -> tuple[dict[str, Any], str]:
    """The parameters that a search finds, and the parent run that it was made for."""
    runs = Runs.connect(settings)
    parent = runs.start("2019-02 simulated", TAGS)
    with runs.ending(parent):
        found = search_parameters(
            settings, runs, parent, TAGS, history(), SEED, {"trials": trials, "seconds": 0}
        )
    return found, parent


def ended_trials(settings: Settings) -> list[Trial]:
    """The complete and the pruned trials in Postgres."""
    study = study_name("simulated 2019-01", trips(), SEED)
    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    with study_storage(settings, "another name, so that it does not wait") as storage:
        if study not in optuna.get_all_study_names(storage):
            return []
        loaded = optuna.load_study(study_name=study, storage=storage)
        return [Trial.of(frozen) for frozen in loaded.get_trials(states=states)]


def nested(settings: Settings, parent: str) -> list[Run]:
    runs = Runs.connect(settings)
    filter_string = f"tags.`mlflow.parentRunId` = '{parent}'"
    return list(runs.client.search_runs([runs.experiment_id], filter_string))


def trial_runs(settings: Settings, parent: str) -> dict[int, Run]:
    """The runs of the trials of a parent's search, by number."""
    search_run = Runs.connect(settings).client.get_run(parent).data.tags["search_run"]
    found = nested(settings, search_run)
    by_number = {int(run.data.tags["trial"]): run for run in found}
    assert len(by_number) == len(found)
    return by_number


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Iterator[Settings]:
    """A database and an experiment of this module's own."""
    with with_own_database(backends) as own:
        yield own.model_copy(update={"mlflow_experiment": f"search-{uuid4().hex}"})


@pytest.fixture(scope="module")
def parent(settings: Settings) -> str:
    """The run of a search that was not interrupted."""
    found, parent = searched(settings)
    assert found == confirmed()
    return parent


def test_every_trial_is_a_nested_run_with_its_parameters_value_state_and_seconds(
    settings: Settings, parent: str
) -> None:
    logged = trial_runs(settings, parent)
    for trial in uninterrupted().trials:
        run = logged.pop(trial.number)
        assert run.info.status == "FINISHED"
        assert run.data.tags["state"] == trial.state
        wanted = {**trial.parameters, "rounds": trial.rounds}
        assert run.data.params == {name: str(value) for name, value in wanted.items()}
        assert run.data.metrics["best_validation_mae"] == pytest.approx(trial.mae)
        curve = Runs.connect(settings).client.get_metric_history(run.info.run_id, "validation_mae")
        assert {point.step: point.value for point in curve} == pytest.approx(trial.curve)
        seconds = (run.info.end_time - run.info.start_time) / 1000
        assert run.data.metrics["seconds"] == pytest.approx(seconds, abs=0.01)
    assert not logged
    assert {trial.state for trial in uninterrupted().trials} == {"complete", "pruned"}


def test_the_search_has_a_run_between_its_trials_and_the_pipeline_s_run(
    settings: Settings, parent: str
) -> None:
    [run] = nested(settings, parent)
    assert run.info.run_name == "search"
    assert run.data.metrics["best_validation_mae"] == pytest.approx(uninterrupted().best.mae)
    assert run.data.metrics["trials"] == TRIALS
    assert run.data.tags["best_trial"] == str(uninterrupted().best.number)


def test_the_run_says_that_the_known_parameters_stay(settings: Settings, parent: str) -> None:
    assert uninterrupted().best is uninterrupted().trials[0]
    tags = Runs.connect(settings).client.get_run(parent).data.tags
    assert tags["search_kept"] == "known parameters"
    assert tags["search_reason"] == "no trial is better than the first"


def test_a_search_that_is_asked_for_again_is_over_at_once(settings: Settings, parent: str) -> None:
    before = ended_trials(settings)
    found, again = searched(settings)
    assert found == confirmed()
    assert ended_trials(settings) == before
    assert trial_runs(settings, again).keys() == trial_runs(settings, parent).keys()


def test_optuna_s_tables_lie_in_a_schema_of_their_own(settings: Settings, parent: str) -> None:
    with connect(settings) as connection:
        found = connection.execute(
            text(
                "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name IN"
                " ('studies', 'trials', 'trial_params')"
            )
        )
        assert [schema for (schema,) in found] == ["search"]


def test_a_search_that_was_killed_goes_on_where_it_was(backends: Settings, root: Path) -> None:
    with with_own_database(backends) as own:
        settings = own.model_copy(update={"mlflow_experiment": f"killed-{uuid4().hex}"})
        process = subprocess.Popen(
            [sys.executable, "-c", "import test_search; test_search.main()"],
            env={
                **os.environ,
                **as_environment(settings),
                "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(root / "tests")]),
            },
        )
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while len(ended_trials(settings)) < 4:
                assert process.poll() is None, "it ended before it could be killed"
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        kept = ended_trials(settings)
        assert 4 <= len(kept) < TRIALS
        found, parent = searched(settings)
        ended = ended_trials(settings)
        assert ended[: len(kept)] == kept
        assert [(t.state, t.parameters, t.mae) for t in ended] == [
            (t.state, t.parameters, t.mae) for t in uninterrupted().trials
        ]
        assert found == confirmed()
        logged = trial_runs(settings, parent)
        assert {trial.number for trial in ended} <= logged.keys()
        states = [run.data.tags["state"] for run in logged.values()]
        assert states.count("fail") == len(logged) - TRIALS <= 1
        assert "RUNNING" not in {run.info.status for run in logged.values()}


def cleaned(settings: Settings, **given: Any) -> dict[str, Any]:
    """Trips of three months in the lake, and what `clean_trips` hands on about them."""
    lake = Lake(Storage.from_settings(settings), "simulated")
    for name in ("2019-01", "2019-02", "2019-03"):
        month, quarantine = Month.parse(name), QUARANTINE_SCHEMA.empty_table()
        trips = make_trips(name, count=2_000)
        lake.replace_month(month, CleanMonth(month, trips, quarantine, {}))
    return {
        "source": "simulated",
        "month": "2019-03",
        "history": ["2019-01", "2019-02"],
        "seed": 42,
        "replace_source": False,
        "champion": "",
        "lake": {"uri": lake.uri, "version": lake.version()},
        **given,
    }


@pytest.fixture
def own_bucket(settings: Settings) -> Settings:
    own = settings.model_copy(update={"s3_bucket": f"search-{uuid4().hex}"})
    Storage.from_settings(own).client.create_bucket(Bucket=own.s3_bucket)
    return own


def test_a_run_with_a_budget_fits_with_what_it_found(
    own_bucket: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = {**PARAMETERS, "learning_rate": 0.3, "num_leaves": 255, "min_data_in_leaf": 10}
    monkeypatch.setattr("taxi_duration.model.search.PARAMETERS", poor)
    given = cleaned(own_bucket, search={"trials": 5, "seconds": 0})
    trained = train_models(own_bucket, build_features(own_bucket, given))
    client = Runs.connect(own_bucket).client
    params = client.get_run(trained["candidates"]["lightgbm"]).data.params
    assert trained["parameters"].keys() >= {*PARAMETERS, "lambda_l2"}
    assert {name: params[name] for name in trained["parameters"]} == {
        name: str(value) for name, value in trained["parameters"].items()
    }
    logged = trial_runs(own_bucket, trained["run_id"])
    assert len(logged) == 5
    best = min(
        (run for run in logged.values() if run.data.tags["state"] == "complete"),
        key=lambda run: run.data.metrics["best_validation_mae"],
    )
    assert best.data.params.items() <= params.items()
    tags = client.get_run(trained["run_id"]).data.tags
    assert tags["search_kept"] == f"trial {best.data.tags['trial']}"
    assert re.fullmatch(r"the winner has \d\.\d{3} against \d\.\d{3} min", tags["search_reason"])


def test_a_run_without_a_budget_takes_the_known_parameters_and_no_optuna(
    own_bucket: Settings,
) -> None:
    built = build_features(own_bucket, cleaned(own_bucket, search={"trials": 0, "seconds": 0}))
    code = (
        "import json, sys\n"
        "from taxi_duration.pipeline.training import train_models\n"
        "from taxi_duration.settings import load_settings\n"
        "trained = train_models(load_settings(), json.loads(sys.argv[1]))\n"
        "print(json.dumps([trained['parameters'], 'optuna' in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(built)],
        env={**os.environ, **as_environment(own_bucket)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [PARAMETERS, False]


def main() -> None:
    """The search that a test kills."""
    searched(load_settings())
