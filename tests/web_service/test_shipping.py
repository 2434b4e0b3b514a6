"""From the spool to a real Postgres."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, text, update

from duration_service import shipping
from duration_service.observations import Answered
from duration_service.prediction_log import PredictionLog
from duration_service.predictions_table import PredictionsTable, postgres_dsn
from duration_service.shipping import Shipper
from duration_service.spool import Spool
from logged import START, answered, logged_ids, rows
from monitored import with_own_database
from taxi_duration.contract import ModelVersion
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.monitoring.tables import predictions
from taxi_duration.settings import Settings
from taxi_duration.stack.stack import Stack

pytestmark = pytest.mark.stack

NewLog = Callable[[], PredictionLog]


def value(name: str) -> float:
    return REGISTRY.get_sample_value(f"taxi_prediction_log_{name}") or 0


@pytest.fixture
def bare(postgres: Stack, settings: Settings) -> Iterator[Settings]:
    """Settings of a database without any table."""
    running = postgres.settings.model_copy(update={"home": settings.home})
    with with_own_database(running) as own:
        yield own


@pytest.fixture
def database(bare: Settings) -> Settings:
    upgrade(bare)
    return bare


@pytest.fixture
def new_log(bare: Settings) -> Iterator[NewLog]:
    """Logs of the processes of one machine, which ship only when they are told to."""
    made: list[PredictionLog] = []
    dsn = postgres_dsn(bare)
    assert dsn

    def make() -> PredictionLog:
        spool = Spool(bare.home / "predictions", 1024 * 1024)
        # What is observed is written at once.
        made.append(PredictionLog(spool, Shipper(spool, PredictionsTable(dsn), 60, 90), 0))
        return made[-1]

    yield make
    for log in made:
        log.shipper.end_turn()


@pytest.fixture
def log(new_log: NewLog) -> PredictionLog:
    return new_log()


@pytest.fixture
def answer(model: DurationModel, champion: ModelVersion) -> Answered:
    return answered(model, champion, "a", "b", None)


def test_every_trip_of_an_answer_is_a_row_with_all_that_is_known_of_it(
    database: Settings, log: PredictionLog, answer: Answered, champion: ModelVersion
) -> None:
    log.observe([answer], [])
    assert log.shipper.ship()
    first, _, last = rows(database)
    lower, prediction, upper = answer.minutes[0]
    expected = {
        "id": first["id"],
        "role": "champion",
        "predicted_at": datetime.fromtimestamp(answer.at, UTC),
        "trip_id": "a",
        "pickup_community_area": 8,
        "dropoff_community_area": 76,
        "trip_start_timestamp": START,
        "prediction": prediction,
        "lower": lower,
        "upper": upper,
        "model_version": champion.version,
        "run_id": champion.run_id,
        "latency_seconds": answer.seconds,
    }
    assert abs(first["predicted_at"] - expected["predicted_at"]) <= timedelta(microseconds=1)
    assert {**first, "predicted_at": expected["predicted_at"]} == expected
    assert last["dropoff_community_area"] is None
    assert last["trip_id"] is None
    assert log.spool.waiting() == []


@pytest.mark.parametrize(
    "trip_id", ["", 'it\'s "x\\y"\t{1,2}\n\x01\x1f', "🚕 \u2028", "a\0b", None]
)
def test_a_trip_id_of_any_characters_is_kept(
    database: Settings,
    log: PredictionLog,
    model: DurationModel,
    champion: ModelVersion,
    trip_id: str | None,
) -> None:
    log.observe([answered(model, champion, trip_id)], [])
    log.shipper.ship()
    # Postgres' text has no NUL.
    assert logged_ids(database) == [trip_id and trip_id.replace("\0", "\ufffd")]


def test_what_is_shipped_twice_is_there_and_counted_once(
    database: Settings, log: PredictionLog, answer: Answered
) -> None:
    before = value("written_total")
    log.observe([answer], [])
    (segment,) = log.spool.waiting()
    lines = segment.path.read_bytes()
    log.shipper.ship()
    log.spool.add(lines, 3)
    log.shipper.ship()
    assert logged_ids(database) == ["a", "b", None]
    assert value("written_total") == before + 3


def test_answers_of_processes_and_requests_never_share_an_id(
    database: Settings, new_log: NewLog, answer: Answered
) -> None:
    first, second = new_log(), new_log()
    first.observe([answer, answer._replace(number=2)], [])
    second.observe([answer], [])
    first.shipper.ship()
    assert len({row["id"] for row in rows(database)}) == 9


def test_a_challengers_answer_has_the_id_of_the_champions(
    database: Settings, log: PredictionLog, answer: Answered, champion: ModelVersion
) -> None:
    challenger = msgspec.structs.replace(champion, version="4")
    log.log(answer._replace(served=replace(answer.served, version=challenger)), "challenger")
    log.observe([answer], [])
    log.shipper.ship()
    pairs = {(row["id"], row["role"], row["model_version"]) for row in rows(database)}
    assert len(pairs) == 6
    assert len({found for found, *_ in pairs}) == 3
    assert {(role, version) for _, role, version in pairs} == {
        ("champion", "3"),
        ("challenger", "4"),
    }


def test_without_the_table_predictions_wait_and_the_log_says_what_makes_it(
    bare: Settings, log: PredictionLog, answer: Answered, caplog: pytest.LogCaptureFixture
) -> None:
    log.observe([answer], [])
    with caplog.at_level(logging.INFO, logger=shipping.__name__):
        log.shipper.ship()
        log.shipper.ship()
        seen = shipping.view(log.spool)
        assert seen is not None
        assert not seen.database_answers
        assert "the pipeline's next run makes it" in str(seen.error)
        assert seen.spooled_bytes == value("spooled_bytes") > 0
        assert value("database_up") == 0
        upgrade(bare)
        log.shipper.ship()
    assert logged_ids(bare) == ["a", "b", None]
    assert value("database_up") == 1
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_one_process_ships_at_a_time_and_ships_what_the_others_wrote(
    database: Settings, new_log: NewLog, answer: Answered
) -> None:
    first, second = new_log(), new_log()
    assert first.shipper.ship()
    second.observe([answer], [])
    assert not second.shipper.ship()
    assert logged_ids(database) == []
    assert first.shipper.ship()
    assert logged_ids(database) == ["a", "b", None]
    first.shipper.end_turn()
    assert second.shipper.ship()


def test_a_segment_that_postgres_refuses_keeps_no_other_waiting(
    database: Settings, log: PredictionLog, answer: Answered
) -> None:
    before = value("dropped_total")
    log.spool.add(b"no line of ours\n", 4)
    log.observe([answer], [])
    log.shipper.ship()
    assert logged_ids(database) == ["a", "b", None]
    assert log.spool.waiting() == []
    assert value("dropped_total") == before + 4
    assert (log.spool.folder / "refused").read_bytes() == b"no line of ours\n"


def test_old_predictions_are_deleted_some_at_a_time(
    database: Settings, log: PredictionLog, answer: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("shipping", "predictions_table"):
        monkeypatch.setattr(f"duration_service.{module}.DELETED_AT_ONCE", 2)
    log.observe([answer._replace(number=number) for number in range(1, 4)], [])
    log.shipper.ship()
    old = func.now() - text("interval '91 days'")
    with connect(database) as connection:
        connection.execute(
            update(predictions).where(predictions.c.trip_id.is_not(None)).values(predicted_at=old)
        )
    log.shipper.retention_due = 0
    left = []
    for _ in range(4):
        log.shipper.ship()
        left.append(len(rows(database)))
    assert left == [7, 5, 3, 3]
    assert set(logged_ids(database)) == {None}


def test_a_connection_that_broke_is_made_again(
    database: Settings, log: PredictionLog, answer: Answered
) -> None:
    log.shipper.ship()
    with connect(database) as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'taxi-duration-service'"
            )
        )
    log.observe([answer], [])
    log.shipper.ship()
    log.shipper.ship()
    assert logged_ids(database) == ["a", "b", None]
