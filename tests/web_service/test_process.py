"""The service as gunicorn runs it, with a real registry behind it or none at all."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import pytest
from mlflow import MlflowClient
from sqlalchemy import select

from monitored import with_own_database
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.monitoring.tables import predictions
from taxi_duration.pipeline import promotion
from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack.servers import MEMORY

pytestmark = pytest.mark.stack

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "web-service" / "gunicorn.conf.py"
APPLICATION = "duration_service:create_app()"
COMMAND = [sys.executable, "-m", "gunicorn", "-c", str(CONFIGURATION), APPLICATION]
TRIP = {"pickup_community_area": 8, "dropoff_community_area": 76}
NOBODY = "http://127.0.0.1:9"
WORKERS = 2
POLL_SECONDS = 0.5
# Where it is measured: one look that is left out is seen beside the time that fetching, checking
# and swapping a small model take on a machine that is busy.
MEASURED_SECONDS, SLACK = 3, 2


class Service:
    """A running gunicorn."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        # A connection a request, so that every worker gets some.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.Client(base_url=self.url, limits=limits, timeout=10)

    def get(self, page: str) -> httpx.Response:
        return self.client.get(page)

    def predict(self, trips: Any = TRIP) -> httpx.Response:
        return self.client.post("/predict", json=trips)

    def versions(self) -> set[str]:
        """The versions that answer: of enough requests to reach every worker."""
        return {self.predict().json()["model_version"] for _ in range(20)}

    def until_each_worker_logs(self, text: str, times: int = 1) -> None:
        """Only the log tells what every worker does: a request reaches any one of them."""
        until(lambda: self.log.read_text().count(text) == times * WORKERS)

    def workers(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children()]


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(settings: Settings, arguments: str = "", **more: str) -> Iterator[Service]:
    """The service of these settings, once its process lives; ended at the end.

    `arguments` are gunicorn's, beyond those in its configuration; `more` is of its environment:
    TAXI_SHADOW="true".
    """
    port = int(more.get("TAXI_SERVICE_PORT") or free_port())
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("TAXI_")
    } | {
        "TAXI_HOME": str(settings.home),
        "TAXI_SERVICE_PORT": str(port),
        "TAXI_MLFLOW_URL": settings.mlflow_url,
        "TAXI_MODEL_NAME": settings.model_name,
        "TAXI_MODEL_POLL_SECONDS": str(POLL_SECONDS),
        "TAXI_REQUEST_SECONDS": str(settings.request_seconds),
        "TAXI_MAX_WAITING_REQUESTS": str(settings.max_waiting_requests),
        "TAXI_MAX_TRIPS_PER_REQUEST": str(settings.max_trips_per_request),
        "GUNICORN_CMD_ARGS": arguments,
        "TAXI_SERVICE_WORKERS": str(WORKERS),
        **more,
    }
    log = settings.home / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            COMMAND,
            env=environment,
            stdout=output,
            stderr=output,
        )
    service = Service(process, port, log)
    try:
        until(lambda: process.poll() is not None or lives(service))
        assert process.poll() is None, log.read_text()
        yield service
    finally:
        service.client.close()
        process.terminate()
        process.wait(timeout=40)


def lives(service: Service) -> bool:
    try:
        return service.get("/health").status_code == 200
    except httpx.TransportError:
        return False


class Registered:
    """A registered model of its own in the MLflow server of the tests."""

    def __init__(self, settings: Settings, trained: Path) -> None:
        self.settings = settings
        self.trained = trained
        self.client = MlflowClient(settings.mlflow_url, settings.mlflow_url)
        self.experiment = self.client.create_experiment(settings.model_name)
        self.client.create_registered_model(settings.model_name)

    def register(self, folder: Path | None = None) -> str:
        """A new version of the model in `folder`, without an alias."""
        run = self.client.create_run(self.experiment)
        target = "model/artifacts/duration_model"
        self.client.log_artifacts(run.info.run_id, str(folder or self.trained), target)
        version = self.client.create_model_version(
            self.settings.model_name,
            source=f"{run.info.artifact_uri}/model",
            run_id=run.info.run_id,
            tags={"source": "simulated", "months": "2022-01 2022-02", "metric.mae": "4.1"},
        )
        return str(version.version)

    def promote(self, version: str) -> None:
        self.client.set_registered_model_alias(self.settings.model_name, "champion", version)


@pytest.fixture
def registered(
    backends: Settings, tmp_path: Path, trained: Path, request: pytest.FixtureRequest
) -> Registered:
    name = re.sub(r"\W", "-", request.node.name)
    return Registered(backends.model_copy(update={"home": tmp_path, "model_name": name}), trained)


def test_with_the_registry_away_the_model_on_disk_answers(alone: Settings) -> None:
    with serving(alone) as service:
        assert service.predict().status_code == 200
        service.until_each_worker_logs("no champion from the registry")
        ready = service.get("/ready").json()
        assert ready["ready"] is True
        assert ready["loaded_from"] == "disk"
        assert ready["registry"]["answers"] is False
        assert NOBODY in ready["registry"]["error"]


def test_the_processes_are_small_and_the_one_that_forks_has_no_threads(alone: Settings) -> None:
    with serving(alone) as service:
        until(lambda: len(service.workers()) == WORKERS)
        service.predict([TRIP] * 10_000)
        assert psutil.Process(service.process.pid).num_threads() == 1
        for worker in map(psutil.Process, service.workers()):
            assert worker.memory_info().rss < 250 * 1024 * 1024
            mapped = " ".join(file.path for file in worker.memory_maps())
            assert "lightgbm" in mapped
            assert not re.search(r"/(pandas|sklearn|pyarrow|mlflow)/", mapped)


def test_no_worker_waits_for_a_disk_to_say_that_it_lives(alone: Settings) -> None:
    with serving(alone) as service:
        until(lambda: len(service.workers()) == WORKERS)
        for worker in service.workers():
            held = [file.readlink() for file in Path(f"/proc/{worker}/fd").iterdir()]
            told = [file for file in held if file.name.startswith("wgunicorn")]
            assert told
            assert all(file.parent == MEMORY for file in told)


def test_replicas_that_share_a_home_count_each_its_own(alone: Settings, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    one, other = (serving(alone, TAXI_METRICS_FOLDER=str(folder)) for folder in folders)
    with one as first:
        for _ in range(5):
            assert first.predict().status_code == 200
        until(lambda: "taxi_predictions_total" in first.get("/metrics").text)
        with other as second:
            assert _predicted(second) == 0
            assert all(any(folder.iterdir()) for folder in folders)
        until(lambda: _predicted(first) == 5)
    assert not any(folder.exists() for folder in folders)
    assert not (alone.home / "service" / "metrics").exists()


def test_a_start_at_a_port_that_is_taken_leaves_the_metrics_of_who_has_it(alone: Settings) -> None:
    with serving(alone) as service:
        assert service.predict().status_code == 200
        until(lambda: _predicted(service) == 1)
        port = {"TAXI_HOME": str(alone.home), "TAXI_SERVICE_PORT": str(service.port)}
        second = subprocess.run(
            COMMAND, env=os.environ | port, stderr=subprocess.PIPE, timeout=60, check=False
        )
        assert b"in use" in second.stderr
        assert service.predict().status_code == 200
        until(lambda: _predicted(service) == 2)


def test_a_service_that_ends_late_leaves_its_successor_the_metrics(alone: Settings) -> None:
    with serving(alone) as first, ExitStack() as at_the_end:
        with socket.create_connection(("127.0.0.1", first.port)) as slow:
            slow.sendall(b"POST /predict HTTP/1.1\r\n")
            time.sleep(0.1)  # a process has it
            first.process.terminate()
            until(lambda: not lives(first))
            successor = serving(alone, TAXI_SERVICE_PORT=str(first.port))
            service = at_the_end.enter_context(successor)
            assert first.process.poll() is None
        first.process.wait(timeout=20)
        assert service.predict().status_code == 200
        until(lambda: _predicted(service) == 1)
        before = service.workers()
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(service.workers()) == WORKERS and service.workers() != before)
        assert {service.predict().status_code for _ in range(20)} == {200}
        until(lambda: _predicted(service) == 21)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_the_service_listens_on_both_kinds_of_addresses_and_tidies_up(
    alone: Settings, tmp_path: Path
) -> None:
    metrics = tmp_path / "metrics"
    with serving(alone, TAXI_HOST="::", TAXI_METRICS_FOLDER=str(metrics)) as service:
        assert service.predict().status_code == 200
        assert httpx.get(f"http://[::1]:{service.port}/health").status_code == 200
        assert any(metrics.iterdir())
    assert not metrics.exists()


def _predicted(service: Service) -> float:
    found = re.findall(
        r"^taxi_predictions_total\S* (\S+)$", service.get("/metrics").text, re.MULTILINE
    )
    return sum(float(value) for value in found)


def test_the_pages_come_with_all_their_files(alone: Settings) -> None:
    with serving(alone) as service:
        for page in ("/", "/docs/"):
            found = service.get(page)
            files = re.findall(r'(?:src|href)="([^"#:]+\.(?:css|js|svg|png))', found.text)
            assert files, page
            for file in files:
                answer = service.get(str(found.url.join(file)))
                assert answer.status_code == 200, file
                assert len(answer.content) == int(answer.headers["Content-Length"]) > 0


def test_with_nothing_at_all_the_service_lives_and_says_when_to_ask_again(tmp_path: Path) -> None:
    with serving(load_settings(home=tmp_path, mlflow_url=NOBODY)) as service:
        answer = service.predict()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert service.get("/ready").status_code == 503


def test_a_worker_that_is_killed_is_replaced_by_one_that_has_the_model(alone: Settings) -> None:
    with serving(alone) as service:
        until(lambda: len(service.workers()) == WORKERS)
        before = service.workers()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(set(service.workers()) - set(before)) == WORKERS)
        until(lambda: lives(service))
        assert {service.predict().status_code for _ in range(20)} == {200}


def test_a_request_in_flight_is_answered_when_the_service_is_stopped(alone: Settings) -> None:
    body = msgspec.json.encode(TRIP)
    head = f"POST /predict HTTP/1.1\r\nHost: service\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(alone) as service:
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as caller:
            caller.sendall(head.encode() + body[:5])
            time.sleep(0.3)
            service.process.terminate()
            time.sleep(0.3)
            caller.sendall(body[5:])
            answer = caller.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert service.process.wait(timeout=10) == 0


def test_a_body_that_does_not_tell_its_length_is_limited_too(alone: Settings) -> None:
    with serving(alone) as service:
        answer = httpx.post(f"{service.url}/predict", content=(b" " * 65_536 for _ in range(200)))
        assert answer.status_code == 413


def test_the_first_champion_is_served_by_all_workers_soon_after_it_appears(
    registered: Registered,
) -> None:
    with serving(registered.settings) as service:
        assert service.predict().status_code == 503
        until(lambda: service.get("/ready").json()["registry"]["answers"])
        version = registered.register()
        registered.promote(version)
        service.until_each_worker_logs(f"model {version} answers")
        assert service.versions() == {version}
        model = service.get("/model").json()
        assert model["months"] == ["2022-01", "2022-02"]
        assert model["metrics"] == {"mae": 4.1}
        assert model["source"] == "simulated"
        assert model["loaded_from"] in {"registry", "disk"}


def test_a_rollback_is_seen_in_what_the_service_says_of_its_model(registered: Registered) -> None:
    first, second = registered.register(), registered.register()
    for version in (first, second):
        promotion.promote(registered.settings, version, "ada@desk", "It is newer.")
    with serving(registered.settings) as service:
        service.until_each_worker_logs(f"model {second} answers")
        assert service.get("/model").json()["version"] == second
        promotion.rollback(registered.settings, "ada@desk", "It is slow.")
        service.until_each_worker_logs(f"model {first} answers")
        assert service.get("/model").json()["version"] == first
        assert service.versions() == {first}


def test_promotion_and_rollback_fail_and_mix_no_request(registered: Registered) -> None:
    first, second = registered.register(), registered.register()
    registered.promote(first)
    with serving(registered.settings, TAXI_MODEL_POLL_SECONDS=str(MEASURED_SECONDS)) as service:
        service.until_each_worker_logs(f"model {first} answers")
        answers: list[httpx.Response] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                answers.append(service.predict([TRIP] * 50))

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        try:
            for version, times in ((second, 1), (first, 2), (second, 2)):
                registered.promote(version)
                promoted = time.monotonic()
                service.until_each_worker_logs(f"model {version} answers", times)
                assert time.monotonic() - promoted < MEASURED_SECONDS + SLACK
                assert service.versions() == {version}
        finally:
            done.set()
            for thread in asking:
                thread.join()
        assert {answer.status_code for answer in answers} == {200}
        mixed = [{(one["model_version"], one["run_id"]) for one in a.json()} for a in answers]
        assert {len(models) for models in mixed} == {1}
        assert len(set.union(*mixed)) == 2


def test_a_damaged_champion_is_refused_and_told_and_the_one_before_goes_on(
    registered: Registered, trained: Path, tmp_path: Path
) -> None:
    broken = Path(shutil.copytree(trained, tmp_path / "broken"))
    content = msgspec.json.decode((broken / "model.json").read_bytes())
    content["info"]["golden"][0]["answer"]["prediction"] += 5
    (broken / "model.json").write_bytes(msgspec.json.encode(content))
    good, bad = registered.register(), registered.register(broken)
    registered.promote(good)
    with serving(registered.settings) as service:
        service.until_each_worker_logs(f"model {good} answers")
        registered.promote(bad)
        service.until_each_worker_logs(f"champion {bad} is refused")
        assert service.versions() == {good}
        assert service.get("/model").json()["refused"]["version"] == bad


def test_a_challenger_answers_in_shadow_and_both_are_logged(registered: Registered) -> None:
    first, second = registered.register(), registered.register()
    registered.promote(first)
    registered.client.set_registered_model_alias(
        registered.settings.model_name, "challenger", second
    )
    with with_own_database(registered.settings) as settings:
        upgrade(settings)
        assert settings.database_url
        url = settings.database_url.get_secret_value()
        with serving(settings, TAXI_SHADOW="true", TAXI_DATABASE_URL=url) as service:
            service.until_each_worker_logs(f"model {first} answers")
            service.until_each_worker_logs(f"challenger {second} answers in shadow")
            trips = [{**TRIP, "trip_id": str(number)} for number in range(60)]
            answered = [service.predict(trip).json() for trip in trips[:10]]
            answered += service.predict(trips[10:]).json()
        with connect(settings) as connection:
            logged = connection.execute(select(predictions)).mappings().all()
    assert {answer["model_version"] for answer in answered} == {first}
    seen = sorted((row["role"], row["model_version"], row["trip_id"]) for row in logged)
    ids = [trip["trip_id"] for trip in trips]
    roles = (("challenger", second), ("champion", first))
    assert seen == sorted((*role, one) for role in roles for one in ids)
    assert len({row["id"] for row in logged}) == len(trips), "a trip's two answers share an id"
