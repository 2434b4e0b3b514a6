"""`taxi provision`: roles, databases, tables and bucket, where Postgres and S3 are already.

In containers and on AWS the servers start empty. Everything here may be done again at any time:
what is there stays, and a changed password is set anew.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, TypeVar

import psycopg2
from botocore.exceptions import BotoCoreError, ClientError
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, encrypt_password
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from taxi_duration.errors import ProvisionError
from taxi_duration.monitoring.database import upgrade
from taxi_duration.monitoring.tables import SCHEMA
from taxi_duration.settings import PREFIX, Settings
from taxi_duration.storage import Storage

# Variable -> what its database is for; each names role, password and database.
URLS: Final = {
    "MLFLOW_BACKEND_STORE_URI": "MLflow",
    "MAGE_DATABASE_CONNECTION_URL": "Mage",
    f"{PREFIX}DATABASE_URL": "the figures",
}
READER: Final = "taxi_grafana"
# As monitoring/grafana/reader.sql has them.
READER_LIMITS: Final = (
    "ALTER ROLE {reader} CONNECTION LIMIT 10",
    "ALTER ROLE {reader} SET default_transaction_read_only = on",
    "ALTER ROLE {reader} SET statement_timeout = '30s'",
)
READER_GRANTS: Final = (
    "GRANT USAGE ON SCHEMA {schema} TO {reader}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {reader}",
)
# Postgres and S3 that were started at the same time are there long before.
PATIENCE_SECONDS: Final = 120

Show = Callable[[str], None]
T = TypeVar("T")


class Database(NamedTuple):
    """A database and the role that owns it."""

    name: str
    role: str
    password: str


def provision(
    settings: Settings,
    environment: Mapping[str, str],
    show: Show,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Make what is missing; says a line for each thing that is there then.

    The administrator of Postgres is who PGHOST, PGPORT, PGUSER and PGPASSWORD name. Raises
    ProvisionError where one cannot be reached within `patience` seconds, or may not do it.
    """
    databases = _databases(settings, environment)
    with _administrator(environment, patience) as cursor:
        for database in databases:
            _make_role(cursor, database.role, database.password)
            _make_database(cursor, database)
            show(f"database {database.name} of {database.role}")
        if settings.database_url:
            upgrade(settings)
            show(f"schema {SCHEMA}")
    if settings.database_url and settings.grafana_db_password:
        _make_reader(settings, environment, databases[-1])
        show(f"role {READER}, who reads the schema {SCHEMA}")
    made = _make_bucket(Storage.from_settings(settings), patience)
    show(f"bucket {settings.s3_bucket}{' (new)' if made else ''}")


def _databases(settings: Settings, environment: Mapping[str, str]) -> list[Database]:
    """Those whose addresses are given; the one of the figures last."""
    given = {name: environment.get(name, "") for name in URLS}
    if settings.database_url:
        given[f"{PREFIX}DATABASE_URL"] = settings.database_url.get_secret_value()
    return [_database(name, url) for name, url in given.items() if url]


def _database(variable: str, text: str) -> Database:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ProvisionError(
            f"{variable} is no URL.", "Write it as postgresql+psycopg2://user:password@host/name."
        ) from error
    if not (url.username and url.password and url.database):
        raise ProvisionError(
            f"{variable} names no user, no password or no database.",
            "Write it as postgresql+psycopg2://user:password@host/name.",
        )
    return Database(url.database, url.username, url.password)


@contextmanager
def _administrator(
    environment: Mapping[str, str], patience: float, database: str = "postgres"
) -> Iterator[Any]:
    """A cursor of the administrator's, without a transaction: CREATE DATABASE takes none."""
    missing = [name for name in ("PGHOST", "PGUSER", "PGPASSWORD") if not environment.get(name)]
    if missing:
        raise ProvisionError(
            f"{', '.join(missing)}: not set.", "They say where Postgres is, and who may make roles."
        )
    connection = _patiently(
        lambda: psycopg2.connect(
            host=environment["PGHOST"],
            port=environment.get("PGPORT") or 5432,
            user=environment["PGUSER"],
            password=environment["PGPASSWORD"],
            sslmode=environment.get("PGSSLMODE") or "prefer",
            dbname=database,
            connect_timeout=5,
        ),
        psycopg2.OperationalError,
        patience,
    )
    try:
        connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        with connection.cursor() as cursor:
            yield cursor
    except psycopg2.Error as error:
        raise ProvisionError(
            f"Postgres refused: {str(error).strip()}.", "PGUSER may have to be its administrator."
        ) from error
    finally:
        connection.close()


def _make_role(cursor: Any, role: str, password: str) -> None:
    """The role with the password, of which the server and its log see a hash alone."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
    verb = "ALTER" if cursor.fetchone() else "CREATE"
    secret = encrypt_password(password, role, cursor.connection, "scram-sha-256")
    statement = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}")
    cursor.execute(statement.format(sql.Identifier(role), sql.Literal(secret)))


def _make_database(cursor: Any, database: Database) -> None:
    """The database, owned by its role and closed to all others."""
    name, role = sql.Identifier(database.name), sql.Identifier(database.role)
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database.name,))
    if not cursor.fetchone():
        # An administrator who is no superuser, as on RDS, has to belong to the owner's role.
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
        cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))
    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))


def _make_reader(settings: Settings, environment: Mapping[str, str], figures: Database) -> None:
    """The role as monitoring/grafana/reader.sql describes it."""
    assert settings.grafana_db_password is not None  # noqa: S101  the caller asked
    password = settings.grafana_db_password.get_secret_value()
    with _administrator(environment, 0) as cursor:
        _make_role(cursor, READER, password)
        for limit in READER_LIMITS:
            cursor.execute(sql.SQL(limit).format(reader=sql.Identifier(READER)))
        connect = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
        cursor.execute(connect.format(sql.Identifier(figures.name), sql.Identifier(READER)))
    owner = {**environment, "PGUSER": figures.role, "PGPASSWORD": figures.password}
    with _administrator(owner, 0, figures.name) as cursor:
        for grant in READER_GRANTS:
            names = {"reader": sql.Identifier(READER), "schema": sql.Identifier(SCHEMA)}
            cursor.execute(sql.SQL(grant).format(**names))


def _make_bucket(storage: Storage, patience: float) -> bool:
    """Make the bucket where there is none; returns whether it is new."""
    try:
        return _patiently(lambda: _bucket(storage), BotoCoreError, patience)
    except ClientError as error:
        raise ProvisionError(
            f"S3 refused the bucket {storage.bucket}: {error}.",
            "Check the key, or choose another name: on AWS they are everybody's.",
        ) from error


def _bucket(storage: Storage) -> bool:
    client = storage.client
    try:
        client.head_bucket(Bucket=storage.bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
    else:
        return False
    # AWS takes every region as a constraint but the one that it began with.
    elsewhere = not storage.endpoint and storage.region != "us-east-1"
    place = {"CreateBucketConfiguration": {"LocationConstraint": storage.region}}
    client.create_bucket(Bucket=storage.bucket, **(place if elsewhere else {}))
    return True


def _patiently(call: Callable[[], T], errors: type[Exception], patience: float) -> T:
    """What `call` returns, once it does not raise one of `errors` any more."""
    retrying = Retrying(
        retry=retry_if_exception_type(errors),
        stop=stop_after_delay(patience),
        wait=wait_fixed(1),
        reraise=True,
    )
    try:
        return retrying(call)
    except errors as error:
        raise ProvisionError(
            f"No answer within {patience:.0f} s: {str(error).strip()}.", "Is it started?"
        ) from error
