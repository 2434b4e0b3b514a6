"""From an answer to the spool, and the whole way with real gunicorn workers and a real Postgres."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from sqlalchemy import select

from duration_service import close_app, create_app
from duration_service.champion import ModelHolder
from duration_service.observations import Answered
from duration_service.prediction_log import MOST_BUFFERED, PredictionLog
from duration_service.predictions_table import PredictionsTable
from duration_service.registry import MlflowRegistry
from duration_service.shelf import Shelf
from duration_service.shipping import Shipper
from duration_service.spool import Spool, read
from logged import answered, logged_ids
from monitored import with_own_database
from taxi_duration.contract import ModelVersion
from taxi_duration.errors import SettingsError
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.model.features import feature_matrix
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.monitoring.tables import requests
from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack.stack import Stack
from web_service.test_process import NOBODY, TRIP, Service, serving, until

# On a machine with more to do than it can, a thread runs later than it asked to.
BUSY_SECONDS = 0.5


@pytest.fixture
def new_log(tmp_path: Path) -> Callable[[float], PredictionLog]:
    """A log that ships nothing, and writes after so many seconds."""

    def make(seconds: float) -> PredictionLog:
        spool = Spool(tmp_path / "predictions", 1024 * 1024)
        return PredictionLog(spool, Shipper(spool, PredictionsTable(""), 60, 90), seconds)

    return make


@pytest.fixture
def answer(model: DurationModel, champion: ModelVersion) -> Answered:
    return answered(model, champion, "a", "b", None)


def spooled(log: PredictionLog) -> list[int]:
    return [segment.rows for segment in log.spool.waiting()]


def test_answers_are_written_before_they_are_as_old_as_the_setting(
    new_log: Callable[[float], PredictionLog], answer: Answered
) -> None:
    log = new_log(1)
    began = time.monotonic()
    while not spooled(log):
        log.observe([answer], [])
        time.sleep(0.05)
    assert 0.2 < time.monotonic() - began < 0.8 + BUSY_SECONDS


def test_a_setting_below_a_second_is_kept_as_well(
    new_log: Callable[[float], PredictionLog], answer: Answered
) -> None:
    log = new_log(0.2)
    log.observe([answer], [])
    assert spooled(log) == []
    time.sleep(0.11)
    log.observe([], [])
    assert spooled(log) == [3]


@pytest.mark.parametrize("dropoff", [76.0, np.nan])
def test_one_trip_is_written_as_many_are(
    new_log: Callable[[float], PredictionLog],
    model: DurationModel,
    answer: Answered,
    dropoff: float,
) -> None:
    log = new_log(3600)
    starts = np.arange("2022-04-01T00:00:00.000001", "2022-04-02", 977_777_777, dtype="M8[us]")
    for start in starts:
        features = feature_matrix(np.full(2, 8.0), np.full(2, dropoff), np.array([start] * 2))
        minutes = model.predict(features)
        for n in (1, 2):
            many = [answer.trips[0]] * n
            log.observe(
                [answer._replace(trips=many, features=features[:n], minutes=minutes[:n])], []
            )
    log.close()
    lines = [line.split(b"\t")[6:12] for line in read(log.spool.waiting()).splitlines()]
    for one, two in zip(lines[::2], lines[1::2], strict=True):
        assert [b"{%b,%b}" % (value[1:-1], value[1:-1]) for value in one] == two


def test_many_answers_are_written_at_once_and_do_not_wait_in_memory(
    new_log: Callable[[float], PredictionLog], model: DurationModel, champion: ModelVersion
) -> None:
    log = new_log(3600)
    log.spool.most_bytes = 10 * MOST_BUFFERED
    long = answered(model, champion, *["x" * 128] * 10_000)
    while not spooled(log):
        log.observe([long], [])
    assert log.spool.waiting()[0].bytes < 2 * MOST_BUFFERED


def test_what_is_left_is_written_at_the_end(
    new_log: Callable[[float], PredictionLog], answer: Answered
) -> None:
    log = new_log(3600)
    log.observe([answer], [])
    assert spooled(log) == []
    log.close()
    assert spooled(log) == [3]


def test_a_disk_that_takes_nothing_is_told_once_and_what_is_lost_is_counted(
    new_log: Callable[[float], PredictionLog], answer: Answered, caplog: pytest.LogCaptureFixture
) -> None:
    log = new_log(0)
    log.spool.folder.write_text("a file where the folder should be")
    log.observe([answer], [])
    log.observe([answer], [])
    assert caplog.text.count("the disk takes none") == 1
    log.spool.folder.unlink()
    log.observe([answer], [])
    assert spooled(log) == [3]


def test_without_a_database_nothing_is_logged_and_that_is_said(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        assert PredictionLog.from_settings(settings) is None
    assert "TAXI_DATABASE_URL is not set" in caplog.text


@pytest.mark.parametrize(
    "url", ["postgresql://taxi:secret@host/taxi", "postgresql+psycopg2://taxi:secret@[host/taxi"]
)
def test_an_address_that_cannot_be_used_is_refused_without_telling_it(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        PredictionLog.from_settings(load_settings(home=tmp_path, database_url=url))
    assert "secret" not in str(refused.value)


def test_an_application_that_is_closed_has_written_what_it_answered(
    tmp_path: Path, alone: Settings
) -> None:
    nowhere = "postgresql+psycopg2://taxi:secret@127.0.0.1:9/taxi"
    settings = load_settings(
        home=alone.home, mlflow_url=NOBODY, database_url=nowhere, prediction_log_seconds=30
    )
    shelf = Shelf(settings.home / "service" / "models", settings.model_name)
    models = ModelHolder(MlflowRegistry(settings), shelf, 60)
    models.load_last_good()
    app = create_app(settings, models)
    client = app.test_client()
    assert client.get("/ready").json is not None
    client.post("/predict", json=[TRIP] * 5)
    close_app(app)
    assert [one.rows for one in Spool(settings.home / "service" / "predictions", 1).waiting()] == [
        5
    ]
    ready = client.get("/ready").json
    assert ready is not None
    assert ready["prediction_log"]["database_answers"] is False
    assert "Connection refused" in ready["prediction_log"]["error"]
    assert "secret" not in str(ready)


@pytest.fixture
def alone(tmp_path: Path, trained: Path, champion: ModelVersion) -> Settings:
    """A machine whose registry is away, with a model on its disk."""

    def copy(version: ModelVersion, folder: Path) -> Path:
        return Path(shutil.copytree(trained, folder / version.version))

    Shelf(tmp_path / "service" / "models", champion.name).fetch(champion, copy)
    return load_settings(home=tmp_path, mlflow_url=NOBODY)


@pytest.fixture
def logging_service(alone: Settings, postgres: Stack) -> Iterator[Settings]:
    """The same with a Postgres; the service reads where it is from the file of the stack."""
    with with_own_database(postgres.settings) as own:
        assert own.database_url
        url = own.database_url.get_secret_value()
        (alone.home / "stack.env").write_text(f"TAXI_DATABASE_URL='{url}'\n")
        upgrade(own)
        yield load_settings(home=alone.home, mlflow_url=NOBODY)


def predict(service: Service, *trip_ids: str) -> None:
    trips = [{**TRIP, "trip_id": trip_id} for trip_id in trip_ids]
    answer = service.predict(trips if len(trips) > 1 else trips[0])
    assert answer.status_code == 200


def names(word: str, count: int) -> list[str]:
    return [f"{word}-{n}" for n in range(count)]


def kill(service: Service) -> None:
    """What `kill -9` of all its processes does."""
    processes = [psutil.Process(service.process.pid)]
    processes += processes[0].children(recursive=True)
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs(processes[1:], timeout=10)
    service.process.wait(10)


@pytest.mark.stack
def test_predictions_of_an_outage_are_in_postgres_exactly_once_afterwards(
    logging_service: Settings, postgres: Stack
) -> None:
    """MLflow and S3 are away all the time, and Postgres while predictions are made."""
    expected = names("before", 5)
    with serving(logging_service) as service:
        for trip_id in expected:
            predict(service, trip_id)
        until(lambda: len(logged_ids(logging_service)) == 5)
        postgres.down()
        try:
            for trip_id in names("single", 30):
                predict(service, trip_id)
            predict(service, *names("list", 1_000))
            time.sleep(1 + BUSY_SECONDS)  # what is younger may be lost
            until(lambda: service.get("/ready").json()["prediction_log"]["spooled_bytes"] > 10_000)
            assert not service.get("/ready").json()["prediction_log"]["database_answers"]
            kill(service)
            with serving(logging_service) as restarted:
                for trip_id in names("restarted", 30):
                    predict(restarted, trip_id)
            assert "predictions wait on disk" in restarted.log.read_text()
        finally:
            postgres.up()
    expected += [*names("single", 30), *names("list", 1_000), *names("restarted", 30)]
    with serving(logging_service):
        until(lambda: len(logged_ids(logging_service)) >= len(expected))
    assert sorted(logged_ids(logging_service)) == sorted(expected)


@pytest.mark.stack
def test_a_service_that_is_stopped_has_everything_in_postgres(logging_service: Settings) -> None:
    with serving(logging_service) as service:
        predict(service, *names("first", 100))
        for trip_id in names("last", 20):
            predict(service, trip_id)
        assert service.predict({"area": 8}).status_code == 422
    with connect(logging_service) as connection:
        counted = connection.execute(select(requests.c.status, requests.c.requests)).all()
    sums = {one: sum(n for status, n in counted if status == one) for one, _ in counted}
    assert sums == {"2xx": 21, "4xx": 1}
    assert sorted(logged_ids(logging_service)) == sorted(names("first", 100) + names("last", 20))


@pytest.mark.stack
def test_kill_9_loses_at_most_a_second_of_predictions(logging_service: Settings) -> None:
    answers: dict[str, float] = {}
    done = threading.Event()

    def ask(service: Service, caller: int) -> None:
        for n in range(100_000):
            if done.is_set():
                return
            try:
                predict(service, f"{caller}-{n}")
            except httpx.TransportError:
                return
            answers[f"{caller}-{n}"] = time.monotonic()

    with serving(logging_service) as service:
        callers = [threading.Thread(target=ask, args=(service, n)) for n in range(2)]
        for caller in callers:
            caller.start()
        time.sleep(4)
        killed = time.monotonic()
        kill(service)
        done.set()
        for caller in callers:
            caller.join()
    with serving(logging_service):
        pass
    logged = logged_ids(logging_service)
    assert len(logged) == len(set(logged))
    lost = [killed - answers[name] for name in set(answers) - set(logged)]
    assert len(answers) > 50
    assert max(lost, default=0) < 1 + BUSY_SECONDS
