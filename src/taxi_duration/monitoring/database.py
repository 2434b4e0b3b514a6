"""The Postgres that holds the figures: connections, migrations and upserts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, NullPool, Table, create_engine, func, make_url, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.schema import CreateSchema

from taxi_duration.errors import MonitoringError, SettingsError
from taxi_duration.monitoring.tables import SCHEMA
from taxi_duration.settings import PREFIX, Settings

DRIVER: Final = "postgresql+psycopg2"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
# Any number will do, as long as every migration of this schema asks for the same one.
MIGRATION_LOCK: Final = 0x7A_C5_1D


@contextmanager
def connect(settings: Settings) -> Iterator[Connection]:
    """A connection in one transaction: all that is written in it is there, or nothing.

    Raises SettingsError without a usable address, MonitoringError where no server answers.
    """
    engine = _engine(settings)
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        cause = str(error.orig).strip().splitlines()[0]
        raise MonitoringError(
            f"The database {engine.url.render_as_string(hide_password=True)} failed: {cause}.",
            f"Start it, or correct {PREFIX}DATABASE_URL.",
        ) from error


def upgrade(settings: Settings) -> None:
    """Bring the schema to its latest step; several at a time wait for each other."""
    with connect(settings) as connection:
        migrate(connection)


def migrate(connection: Connection) -> None:
    """Bring the schema to its latest step inside the connection's transaction.

    Raises MonitoringError where it is at a step that this version does not know.
    """
    connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise MonitoringError(
            f"The schema {SCHEMA} cannot be brought up to date: {error}.",
            "Where a later version of this project made it, run that version.",
        ) from error


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Write rows, each in the place of the one with the same key; returns how many."""
    if not rows:
        return 0
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    values = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)
    return len(rows)


def _engine(settings: Settings) -> Engine:
    name = f"{PREFIX}DATABASE_URL"
    if settings.database_url is None:
        raise SettingsError(f"{name} is not set.", f"Set it to `{DRIVER}://…`.")
    try:
        url = make_url(settings.database_url.get_secret_value())
    except ArgumentError as error:
        raise SettingsError(f"{name} is no URL.", f"Write it as `{DRIVER}://…`.") from error
    # A bare `postgresql://` means another driver to SQLAlchemy 2.1, which is not installed.
    if url.drivername != DRIVER:
        raise SettingsError(f"{name} starts with `{url.drivername}://`.", f"Use `{DRIVER}://…`.")
    return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 5})
