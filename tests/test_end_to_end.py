"""The README's way, as its reader goes it: `make run`'s command, then what it brings up."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.tables import (
    alarms,
    data_quality,
    drift_columns,
    drift_months,
    gate_decisions,
    model_history,
    performance,
    pipeline_runs,
    retrainings,
)
from taxi_duration.pipeline.drill_traces import LIVE_OBJECTS, MLFLOW
from taxi_duration.pipeline.mage_api import LIVE_PIPELINE
from taxi_duration.settings import Settings, load_settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

TAXI = Path(sys.executable).with_name("taxi")
SAFE = ("$ curl", "$ taxi status", "$ taxi reports", "$ .")
TRIP = {
    "pickup_community_area": 8,
    "dropoff_community_area": 76,
    "trip_start_timestamp": "2022-04-01T10:30:00",
}


@dataclass
class Whole:
    """A stack that `taxi up --stay` brought up, and what it printed."""

    environment: dict[str, str]
    process: subprocess.Popen[str]
    log: Path

    @property
    def settings(self) -> Settings:
        return load_settings(home=self.environment["TAXI_HOME"])

    def taxi(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TAXI, *words], env=self.environment, capture_output=True, text=True, check=False
        )

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.taxi("status", "--json").stdout)
        return answer

    def predict(self, trip: dict[str, Any]) -> dict[str, Any]:
        response = httpx.post(f"{self.settings.service_url}/predict", json=trip)
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer


def start(environment: dict[str, str], log: Path) -> subprocess.Popen[str]:
    with log.open("w") as output:
        return subprocess.Popen(
            [TAXI, "up", "--stay"], env=environment, stdout=output, stderr=output, text=True
        )


def wait_for(log: Path, text: str, process: subprocess.Popen[str], seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while text not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.5)


def processes_of(home: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if home in process.environ().values() and process.pid != os.getpid():
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, stack_settings: Callable[[Path], Settings]
) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole")
    settings = stack_settings(folder / "home")
    ports = {
        f"TAXI_{name.upper()}": str(getattr(settings, name))
        for name in Settings.model_fields
        if name.endswith("_port")
    }
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("TAXI_")},
        **ports,
        "TAXI_HOME": str(settings.home),
        "TAXI_CITY_API": "simulated",
        "TAXI_TRIPS_PER_MONTH": "6000",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    log = folder / "up.log"
    running = Whole(environment, start(environment, log), log)
    wait_for(log, "Ctrl-C ends everything", running.process)
    yield running
    running.process.send_signal(signal.SIGINT)
    running.process.wait(60)
    assert not processes_of(environment["TAXI_HOME"])


def test_the_summary_says_where_everything_is_and_what_the_service_answered(whole: Whole) -> None:
    printed = whole.log.read_text()
    for url in ("mlflow_url", "mage_url", "service_url"):
        assert getattr(whole.settings, url) in printed
    assert whole.settings.mage_owner_email in printed
    assert '"unit":"minutes"' in printed.replace(" ", "")
    assert "simulated" in printed


def test_every_part_is_healthy_and_the_model_says_its_source(whole: Whole) -> None:
    status = whole.status()
    assert {part["state"] for part in status["services"].values()} == {"healthy"}
    assert status["model"] == {"version": "1", "source": "simulated"}


def test_a_trip_to_the_airport_gets_a_sensible_answer(whole: Whole) -> None:
    answer = whole.predict(TRIP)
    assert 15 < answer["prediction"] < 60
    assert answer["lower"] <= answer["prediction"] <= answer["upper"]
    assert answer["model_version"] == "1"


def test_the_first_run_left_a_drift_report_that_a_browser_can_show(whole: Whole) -> None:
    [report] = json.loads(whole.taxi("reports", "--json").stdout)
    storage = Storage.from_settings(whole.settings)
    key = f"reports/drift/simulated/{report['figures']['month']}"
    page = storage.client.head_object(Bucket=storage.bucket, Key=f"{key}/drift.html")
    data = storage.client.get_object(Bucket=storage.bucket, Key=f"{key}/drift.json")
    assert page["ContentType"].startswith("text/html")
    assert data["ContentType"] == "application/json"
    assert json.load(data["Body"])


def test_a_second_run_leaves_the_same_trips_and_a_second_version_that_does_not_serve(
    whole: Whole,
) -> None:
    lake = Lake(Storage.from_settings(whole.settings), "simulated")
    before = lake.rows()
    ran = whole.taxi("run")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert lake.rows() == before
    assert whole.status()["model"]["version"] == "1"
    assert "version 2" in ran.stdout


def test_a_run_whose_trips_cannot_be_loaded_fails_naming_the_block_and_loses_nothing(
    whole: Whole,
) -> None:
    lake = Lake(Storage.from_settings(whole.settings), "simulated")
    before = lake.rows(), lake.version()
    ran = whole.taxi("run", "--city-api", "http://127.0.0.1:1")
    assert ran.returncode == 1
    assert "load_trips" in ran.stderr
    assert (lake.rows(), lake.version()) == before
    assert whole.predict(TRIP)["model_version"] == "1"


@pytest.mark.browser
def test_a_person_signs_in_to_mage_and_sees_the_tree_of_blocks(
    whole: Whole, browser_page: Page
) -> None:
    settings = whole.settings
    assert settings.mage_owner_password
    browser_page.goto(f"{settings.mage_url}/sign-in")
    browser_page.get_by_placeholder("Email").fill(settings.mage_owner_email)
    browser_page.get_by_placeholder("Password").fill(
        settings.mage_owner_password.get_secret_value()
    )
    browser_page.get_by_role("button", name="Sign into Mage").click()
    browser_page.wait_for_url(lambda url: "sign-in" not in url)
    browser_page.goto(f"{settings.mage_url}/pipelines/taxi_duration/edit?sideview=tree")
    for block in ("load_trips", "register_model", "record_drift", "enough_trips"):
        browser_page.get_by_text(block).first.wait_for()


@pytest.mark.browser
def test_the_report_opens_in_the_mlflow_ui(whole: Whole, browser_page: Page) -> None:
    [report] = json.loads(whole.taxi("reports", "--json").stdout)
    browser_page.goto(report["url"])
    browser_page.frame_locator("iframe").get_by_text("Drift").first.wait_for(timeout=60_000)


def test_the_commands_of_the_readme_run(whole: Whole, root: Path) -> None:
    """Each curl command and each harmless `taxi` command, with this stack's addresses."""
    ports = {"9696": whole.settings.service_port, "5000": whole.settings.mlflow_port}
    blocks = re.findall(r"```console\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    # The others run for minutes; the rest of this file is about what they do.
    commands = [line[2:] for line in lines if line.startswith(SAFE)]
    assert len(commands) >= 6
    for command in commands:
        here = re.sub(r"localhost:(\d+)", lambda m: f"127.0.0.1:{ports[m[1]]}", command)
        environment = {**whole.environment, "PATH": f"{TAXI.parent}:{os.environ['PATH']}"}
        ran = subprocess.run(  # noqa: S602
            here.replace("curl", "curl --fail --silent --show-error"),
            cwd=root,
            shell=True,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"


def objects(settings: Settings) -> dict[str, str]:
    """All objects but artifacts of runs in MLflow and what is made each hour, with their hashes."""
    storage = Storage.from_settings(settings)
    found = {listed["Key"]: listed["ETag"] for listed in storage.objects()}
    return {key: tag for key, tag in found.items() if not key.startswith((MLFLOW, *LIVE_OBJECTS))}


def figures(settings: Settings) -> dict[str, list[Any]]:
    """The rows of the tables that only the pipeline writes, without what a drill has marked."""
    tables = (drift_months, drift_columns, data_quality, performance, gate_decisions)
    marked = [select(table).where(~table.c.drill) for table in (retrainings, alarms)]
    # The hour may turn while a drill is under way.
    runs = select(pipeline_runs).where(
        pipeline_runs.c.source.is_distinct_from("drill"), pipeline_runs.c.pipeline != LIVE_PIPELINE
    )
    history = select(model_history).where(model_history.c.model == settings.model_name)
    with connect(settings) as connection:
        return {
            str(query): sorted(map(str, connection.execute(query)))
            for query in (*map(select, tables), *marked, runs, history)
        }


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("schema", ["ok     The block load_trips failed", "alarm 'data refused'"]),
        ("pace", ["alarm 'drift'", "times the", "the gate: version", "retrainings in all: 1"]),
    ],
)
def test_a_drill_finds_what_changed_and_leaves_all_as_it_was(
    whole: Whole, kind: str, said: list[str]
) -> None:
    before = objects(whole.settings), figures(whole.settings), whole.predict(TRIP)
    lake = Lake(Storage.from_settings(whole.settings), "simulated")
    rows = lake.rows(), lake.version()
    ran = whole.taxi("drill", "--kind", kind, "--cap", "6000")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for text in (*said, "Afterwards:", "not as before: none"):
        assert text in ran.stdout, ran.stdout
    assert (objects(whole.settings), figures(whole.settings), whole.predict(TRIP)) == before
    assert (lake.rows(), lake.version()) == rows
    assert whole.status()["model"]["version"] == "1"


def test_a_part_that_is_killed_comes_back(whole: Whole) -> None:
    former = whole.status()["services"]["mlflow"]["pid"]
    psutil.Process(former).kill()
    until = time.monotonic() + 120
    while (part := whole.status()["services"]["mlflow"]) != {**part, "state": "healthy"} or part[
        "pid"
    ] == former:
        assert time.monotonic() < until, part
        time.sleep(1)


def test_all_that_was_committed_is_there_after_everything_was_killed(whole: Whole) -> None:
    answer = whole.predict(TRIP)
    rows = Lake(Storage.from_settings(whole.settings), "simulated").rows()
    for process in processes_of(whole.environment["TAXI_HOME"]):
        if process.is_running():
            process.kill()
    whole.process.wait(30)
    began = time.monotonic()
    whole.process = start(whole.environment, whole.log)
    wait_for(whole.log, "Ctrl-C ends everything", whole.process)
    print(f"ready again after {time.monotonic() - began:.0f} s")
    assert whole.predict(TRIP) == answer
    assert Lake(Storage.from_settings(whole.settings), "simulated").rows() == rows
    assert whole.status()["model"]["version"] == "1"
