"""A search as a step of a run: its study in Postgres, its trials in MLflow."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from optuna.storages import RDBStorage
from sqlalchemy import Connection, NullPool, func, select
from sqlalchemy.schema import CreateSchema

from taxi_duration.model.dataset import Sample
from taxi_duration.model.search import Budget, Parameters, Trial, search, study_name
from taxi_duration.monitoring.database import connect
from taxi_duration.registry.runs import Runs
from taxi_duration.registry.trials import TrialRuns
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

# Optuna makes its tables in the first schema of the search path.
SCHEMA: Final = "search"


def search_parameters(
    settings: Settings,
    runs: Runs,
    parent: str,
    tags: Mapping[str, str],
    trips: Sample,
    seed: int,
    budget: Mapping[str, Any],
) -> Parameters:
    """The best parameters for `trips`, which are in the order of their start.

    `budget` has `trials` and `seconds`. The same trips and seed have one study: a search that was
    killed goes on where it was, and one that is asked for again with the same budget is over at
    once. Every trial has a run in MLflow.
    """
    study = study_name(f"{tags['source']} {tags['months']}", trips, seed)
    with study_storage(settings, study) as storage:
        trial_runs = TrialRuns.of(runs, study, parent, tags)
        with runs.ending(trial_runs.run_id):
            found = search(storage, study, trips, seed, Budget(**budget), _teller(trial_runs))
            runs.record(
                trial_runs.run_id,
                metrics={"best_validation_mae": found.best.mae, "trials": len(found.trials)},
                tags={"best_trial": str(found.best.number)},
            )
    runs.record(parent, tags={"search_run": trial_runs.run_id})
    log.info(
        "searched %d trials: the best is trial %d, %.3f minutes on later trips: %s",
        len(found.trials),
        found.best.number,
        found.best.mae,
        found.parameters,
    )
    return found.parameters


@contextmanager
def study_storage(settings: Settings, study: str) -> Iterator[RDBStorage]:
    """The studies in Postgres; whoever wants the same study waits for this one to end."""
    # Two that make the schema or its tables at the same time would be in each other's way.
    with connect(settings) as connection:
        _wait_for(connection, SCHEMA)
        connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
    with connect(settings) as connection:
        _wait_for(connection, SCHEMA)
        storage = _storage(connection)
    with connect(settings) as connection:
        _wait_for(connection, study)
        yield storage


def _storage(connection: Connection) -> RDBStorage:
    return RDBStorage(
        connection.engine.url.render_as_string(hide_password=False),
        engine_kwargs={
            "poolclass": NullPool,
            "connect_args": {"options": f"-csearch_path={SCHEMA}"},
        },
    )


def _wait_for(connection: Connection, name: str) -> None:
    """Wait until nobody else holds the name; it is free again when the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


def _teller(trial_runs: TrialRuns) -> Callable[[Trial], None]:
    def tell(trial: Trial) -> None:
        if trial.number not in trial_runs.logged:
            log.info("trial %d: %s, %.3f minutes", trial.number, trial.state, trial.mae)
        trial_runs.log(trial)

    return tell
