"""Roles, databases, tables and bucket, made on a real Postgres and a real S3."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from taxi_duration.errors import ProvisionError
from taxi_duration.settings import Settings
from taxi_duration.stack.provision import READER, provision
from taxi_duration.storage import Storage

pytestmark = pytest.mark.stack


@dataclasses.dataclass
class Empty:
    """An empty corner of the servers: names that nobody else uses, and who may make them."""

    settings: Settings
    environment: dict[str, str]
    port: int
    said: list[str] = dataclasses.field(default_factory=list)

    def provision(self, **changed: Any) -> None:
        provision(
            self.settings.model_copy(update=changed), self.environment, self.said.append, patience=2
        )

    @contextmanager
    def signed_in(self, role: str, password: str, database: str) -> Iterator[Any]:
        connection = psycopg2.connect(
            host=self.environment["PGHOST"],
            port=self.port,
            user=role,
            password=password,
            dbname=database,
        )
        connection.autocommit = True
        try:
            yield connection.cursor()
        finally:
            connection.close()


@pytest.fixture
def empty(backends: Settings) -> Iterator[Empty]:
    assert backends.database_url is not None
    url = make_url(backends.database_url.get_secret_value())
    name = f"p{uuid4().hex[:8]}"
    place = f"{url.host}:{url.port}"
    environment = {
        "PGHOST": str(url.host),
        "PGPORT": str(url.port),
        "PGUSER": str(url.username),
        "PGPASSWORD": str(url.password),
        "MLFLOW_BACKEND_STORE_URI": f"postgresql+psycopg2://{name}m:one@{place}/{name}m",
    }
    settings = backends.model_copy(
        update={
            "database_url": SecretStr(f"postgresql+psycopg2://{name}t:two@{place}/{name}t"),
            "grafana_db_password": SecretStr("three"),
            "s3_bucket": name,
        }
    )
    made = Empty(settings, environment, url.port or 5432)
    yield made
    with made.signed_in(str(url.username), str(url.password), "postgres") as cursor:
        for database in (f"{name}m", f"{name}t"):
            cursor.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        for role in (f"{name}m", f"{name}t", READER):
            cursor.execute(f"DROP ROLE IF EXISTS {role}")


def test_what_is_missing_is_made_and_each_role_owns_its_database(empty: Empty) -> None:
    empty.provision()
    name = empty.settings.s3_bucket
    with empty.signed_in(f"{name}m", "one", f"{name}m") as cursor:
        cursor.execute("CREATE TABLE mine (n int)")
    with empty.signed_in(f"{name}t", "two", f"{name}t") as cursor:
        cursor.execute("SELECT count(*) FROM monitoring.predictions")
        assert cursor.fetchone() == (0,)
    Storage.from_settings(empty.settings).client.head_bucket(Bucket=name)
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        empty.signed_in(f"{name}m", "one", f"{name}t").__enter__()


def test_it_may_be_done_again_and_keeps_what_is_there(empty: Empty) -> None:
    empty.provision()
    name = empty.settings.s3_bucket
    with empty.signed_in(f"{name}m", "one", f"{name}m") as cursor:
        cursor.execute("CREATE TABLE mine AS SELECT 7 AS n")
    empty.provision()
    with empty.signed_in(f"{name}m", "one", f"{name}m") as cursor:
        cursor.execute("SELECT n FROM mine")
        assert cursor.fetchone() == (7,)
    assert f"bucket {name} (new)" in empty.said
    assert f"bucket {name}" in empty.said


def test_a_changed_password_is_set_anew(empty: Empty) -> None:
    empty.provision()
    name = empty.settings.s3_bucket
    uri = empty.environment["MLFLOW_BACKEND_STORE_URI"].replace(":one@", ":other@")
    empty.environment["MLFLOW_BACKEND_STORE_URI"] = uri
    empty.provision()
    with empty.signed_in(f"{name}m", "other", f"{name}m"):
        pass
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        empty.signed_in(f"{name}m", "one", f"{name}m").__enter__()


def test_grafana_reads_the_figures_and_changes_nothing(empty: Empty) -> None:
    empty.provision()
    name = empty.settings.s3_bucket
    with empty.signed_in(READER, "three", f"{name}t") as cursor:
        cursor.execute("SELECT count(*) FROM monitoring.predictions")
        assert cursor.fetchone() == (0,)
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            cursor.execute("DELETE FROM monitoring.predictions")
        cursor.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("DELETE FROM monitoring.predictions")


def test_an_administrator_who_is_no_superuser_is_enough_as_on_rds(empty: Empty) -> None:
    name, secret = f"{empty.settings.s3_bucket}admin", "four"
    administrator = dict(empty.environment)
    with empty.signed_in(
        administrator["PGUSER"], administrator["PGPASSWORD"], "postgres"
    ) as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN CREATEROLE CREATEDB PASSWORD '{secret}'")
    empty.environment |= {"PGUSER": name, "PGPASSWORD": secret}
    try:
        empty.provision()
        empty.provision()
        corner = empty.settings.s3_bucket
        with empty.signed_in(READER, "three", f"{corner}t") as cursor:
            cursor.execute("SELECT count(*) FROM monitoring.predictions")
    finally:
        with empty.signed_in(
            administrator["PGUSER"], administrator["PGPASSWORD"], "postgres"
        ) as cursor:
            for letter in "mt":
                cursor.execute(f"DROP DATABASE IF EXISTS {empty.settings.s3_bucket}{letter}")
            for role in (READER, f"{empty.settings.s3_bucket}m", f"{empty.settings.s3_bucket}t"):
                cursor.execute(f"DROP ROLE IF EXISTS {role}")
            cursor.execute(f"DROP ROLE {name}")


def test_nothing_that_is_said_holds_a_password(empty: Empty) -> None:
    empty.provision()
    said = " ".join(empty.said)
    assert not [secret for secret in ("one", "two", "three") if f":{secret}" in said]


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("PGPASSWORD", "", "PGPASSWORD: not set"),
        ("PGPORT", "9", "No answer within"),
        ("MLFLOW_BACKEND_STORE_URI", "postgresql+psycopg2://host/name", "names no user"),
        ("MLFLOW_BACKEND_STORE_URI", "name", "is no URL"),
    ],
)
def test_what_is_wrong_is_said(empty: Empty, name: str, value: str, match: str) -> None:
    empty.environment[name] = value
    with pytest.raises(ProvisionError, match=match):
        empty.provision()


def test_an_s3_that_does_not_answer_is_named(empty: Empty) -> None:
    with pytest.raises(ProvisionError, match="No answer"):
        empty.provision(s3_endpoint="http://127.0.0.1:9")
