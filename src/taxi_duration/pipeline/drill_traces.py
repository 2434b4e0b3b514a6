"""What there is besides a drill, to see that it stays as it was; and the removal of the drill's."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from mlflow.exceptions import MlflowException
from sqlalchemy import ColumnElement, Table, delete, select, true

from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.monitoring.tables import metadata
from taxi_duration.pipeline.drilling import drilled
from taxi_duration.pipeline.mage_api import LIVE_PIPELINE
from taxi_duration.pipeline.promotion import Cause, aliases
from taxi_duration.registry.client import client, registry_errors
from taxi_duration.registry.versions import holders
from taxi_duration.settings import Settings
from taxi_duration.simulation.source import DRILL
from taxi_duration.storage import Storage

# Where MLflow keeps the artifacts of runs; those of a drill stay, as what it left behind.
MLFLOW: Final = "mlflow/"
# Everything else of a drill lies in a folder of this name.
_FOLDER: Final = f"/{DRILL}/"
# Tables that tell what happened; a drill's rows stay in them, marked.
HISTORY: Final = ("pipeline_runs", "retrainings", "alarms", "model_history")
# Tables that the service's own requests fill, drill or no drill.
LIVE: Final = ("predictions", "requests", "outcomes", "live_windows", "live_columns")
# What the hourly comparison of those requests writes.
LIVE_OBJECTS: Final = ("scored/live/", "reports/live/", "reports/.staged/live/")

Traces = dict[str, str]


def traces(settings: Settings) -> Traces:
    """A fingerprint of each table, object and alias that is no drill's, by name."""
    upgrade(settings)
    return dict(
        [
            *_tables(settings),
            *(
                (f"object {key}", tag)
                for key, tag in _objects(settings)
                if _FOLDER not in key and not key.startswith((MLFLOW, *LIVE_OBJECTS))
            ),
            *((f"alias {alias}", number) for alias, number in sorted(holders(settings).items())),
        ]
    )


def differences(before: Traces, after: Traces) -> list[str]:
    """The names of what is not as it was."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def remove_drill(settings: Settings) -> None:
    """Remove the trips, figures, reports and the model of drills.

    What happened stays: the rows of HISTORY, and the runs in MLflow.
    """
    _remove_model(drilled(settings))
    _remove_rows(settings)
    storage = Storage.from_settings(settings)
    keys = [key for key, _ in _objects(settings) if _FOLDER in key and not key.startswith(MLFLOW)]
    for key in keys:
        storage.delete(key)


def _remove_model(settings: Settings) -> None:
    with aliases(settings) as held:
        for alias in list(held.holders):
            held.move(alias, "", Cause("drill over", DRILL, "The drill is over."))
    with registry_errors(settings):
        try:
            client(settings).delete_registered_model(settings.model_name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise


def _remove_rows(settings: Settings) -> None:
    upgrade(settings)
    with connect(settings) as connection:
        for table in metadata.sorted_tables:
            if "source" in table.c and table.name not in HISTORY:
                connection.execute(delete(table).where(table.c.source == DRILL))


def _tables(settings: Settings) -> Iterator[tuple[str, str]]:
    with connect(settings) as connection:
        for table in metadata.sorted_tables:
            if table.name in LIVE:
                continue
            query = (
                select(table)
                .where(_no_drill(table, settings), _no_live_run(table))
                .order_by(*table.primary_key)
            )
            rows = connection.execute(query).all()
            digest = hashlib.sha256(repr(rows).encode()).hexdigest()
            yield f"table {table.name}", f"{len(rows)} rows, {digest}"


def _no_drill(table: Table, settings: Settings) -> ColumnElement[bool]:
    if "drill" in table.c:
        return ~table.c.drill
    if "source" in table.c:
        return table.c.source.is_distinct_from(DRILL)
    if "model" in table.c:
        return table.c.model != drilled(settings).model_name
    return true()


def _no_live_run(table: Table) -> ColumnElement[bool]:
    """Leave out the hourly comparison's own runs: one may fall into a drill."""
    return table.c.pipeline != LIVE_PIPELINE if table.name == "pipeline_runs" else true()


def _objects(settings: Settings) -> list[tuple[str, Any]]:
    storage = Storage.from_settings(settings)
    return [(listed["Key"], listed["ETag"]) for listed in storage.objects()]
