from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, inspect, select
from sqlalchemy.schema import CreateSchema

from taxi_duration.errors import MonitoringError, SettingsError
from taxi_duration.monitoring.database import MIGRATIONS, connect, upgrade, upsert
from taxi_duration.monitoring.tables import SCHEMA, drift_columns, live_columns, metadata
from taxi_duration.settings import Settings, load_settings


@pytest.mark.parametrize("url", [None, "postgresql://taxi@127.0.0.1/taxi", "no url"])
def test_only_an_address_with_its_driver_is_taken(url: str | None) -> None:
    with pytest.raises(SettingsError, match=r"TAXI_DATABASE_URL.*postgresql\+psycopg2://"):
        upgrade(load_settings(database_url=url))


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(MonitoringError, match=r"127\.0\.0\.1:1/taxi failed: .*refused") as error:
        upgrade(load_settings(database_url="postgresql+psycopg2://t:secret@127.0.0.1:1/taxi"))
    assert "secret" not in str(error.value)


@pytest.mark.stack
def test_migrating_twice_changes_nothing(database: Settings) -> None:
    upgrade(database)
    with connect(database) as connection:
        found = set(inspect(connection).get_table_names(SCHEMA))
    assert found == {table.name for table in metadata.sorted_tables} | {"alembic_version"}


@pytest.mark.stack
def test_many_may_migrate_an_empty_database_at_once(empty_database: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [empty_database] * 4))
    with connect(empty_database) as connection:
        assert inspect(connection).has_table("drift_months", SCHEMA)


@pytest.mark.stack
def test_the_schema_of_a_later_version_is_left_alone(database: Settings) -> None:
    with connect(database) as connection:
        connection.exec_driver_sql("UPDATE monitoring.alembic_version SET version_num = '9999'")
    with pytest.raises(MonitoringError, match="9999"):
        upgrade(database)


@pytest.mark.stack
def test_columns_of_windows_from_before_their_end_was_a_key_keep_their_window(
    empty_database: Settings,
) -> None:
    with connect(empty_database) as connection:
        connection.execute(CreateSchema(SCHEMA))
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(config, "0007")
        connection.exec_driver_sql(
            "INSERT INTO monitoring.live_windows"
            " (window_start, window_end, predictions, answered_requests, reported_at)"
            " VALUES ('2026-01-31 09:00Z', '2026-01-31 10:00Z', 240, 240, now())"
        )
        connection.exec_driver_sql(
            "INSERT INTO monitoring.live_columns VALUES"
            " ('2026-01-31 09:00Z', 'prediction', 'jensenshannon', 0.05, 0.1, false, now())"
        )
    upgrade(empty_database)
    with connect(empty_database) as connection:
        (end,) = connection.execute(select(live_columns.c.window_end)).scalars()
    assert end == datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.stack
def test_a_row_takes_the_place_of_the_one_with_its_key(database: Settings) -> None:
    row = {
        "source": "simulated",
        "month": date(2019, 3, 1),
        "column_name": "hour",
        "method": "jensenshannon",
        "score": 0.05,
        "threshold": 0.1,
        "drifted": False,
        "reported_at": datetime(2019, 5, 1, tzinfo=UTC),
    }
    with connect(database) as connection:
        assert upsert(connection, drift_columns, [row, {**row, "column_name": "weekday"}]) == 2
        upsert(connection, drift_columns, [{**row, "score": 0.2, "drifted": True}])
        found = connection.execute(
            select(drift_columns.c.score).where(drift_columns.c.column_name == "hour")
        ).scalars()
        assert list(found) == [0.2]
        assert connection.scalar(select(func.count()).select_from(drift_columns)) == 2


@pytest.mark.stack
def test_what_fails_in_the_middle_leaves_nothing(database: Settings) -> None:
    class HalfWayError(Exception):
        pass

    def write_and_fail() -> None:
        with connect(database) as connection:
            connection.exec_driver_sql(f"CREATE TABLE {SCHEMA}.half (done int)")
            raise HalfWayError

    with pytest.raises(HalfWayError):
        write_and_fail()
    with connect(database) as connection:
        assert not inspect(connection).has_table("half", SCHEMA)
