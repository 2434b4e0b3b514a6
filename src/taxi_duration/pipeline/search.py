"""A search as a step of a run: its study in Postgres, its trials in MLflow."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from optuna.storages import RDBStorage
from sqlalchemy import Connection, NullPool, func, select
from sqlalchemy.schema import CreateSchema

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
from taxi_duration.monitoring.database import connect
from taxi_duration.registry.runs import Runs
from taxi_duration.registry.trials import TrialRuns
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

# Optuna makes its tables in the first schema of the search path.
SCHEMA: Final = "search"
_KNOWN: Final = "known parameters"


def search_parameters(
    settings: Settings,
    runs: Runs,
    parent: str,
    tags: Mapping[str, str],
    history: History,
    seed: int,
    budget: Mapping[str, Any],
) -> Parameters:
    """The best parameters for the earlier trips of `history`, in the order of their start.

    They have to be better than those known before on its later trips too, or these stay. `budget`
    has `trials` and `seconds`. The same trips and seed have one study: a search that was
    killed goes on where it was, and one that is asked for again with the same budget is over at
    once. Every trial has a run in MLflow.
    """
    trips = history.earlier
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
    log.info(
        "searched %d trials: the best is trial %d, %.3f minutes on later trips: %s",
        len(found.trials),
        found.best.number,
        found.best.mae,
        found.parameters,
    )
    parameters, tags = _confirmed(found, history, seed)
    runs.record(parent, tags={"search_run": trial_runs.run_id, **tags})
    return parameters


def _confirmed(found: Found, history: History, seed: int) -> tuple[Parameters, dict[str, str]]:
    """The parameters to train with, and the tags that say why."""
    if found.best is found.trials[0]:
        reason = "no trial is better than the first"
        log.info("%s: the known parameters stay", reason)
        return found.parameters, {"search_kept": _KNOWN, "search_reason": reason}
    known = confirm(found, history, seed)
    pair = f"{known.found_mae:.3f} against {known.known_mae:.3f} min"
    kept = _KNOWN if known.kept_known else f"trial {found.best.number}"
    log.info("on %d later trips: %s, fit with: %s", len(history.later.minutes), pair, kept)
    return known.parameters, {"search_kept": kept, "search_reason": f"the winner has {pair}"}


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
