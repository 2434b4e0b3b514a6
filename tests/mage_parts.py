"""For the tests of the Mage project: a stand-in for the City, a Mage server, a headless run."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from pydantic import SecretStr

from monitored import with_own_bucket, with_own_database
from taxi_duration.pipeline.mage_api import PIPELINE
from taxi_duration.settings import Settings
from taxi_duration.stack.resolved import as_environment

ROOT = Path(__file__).resolve().parents[1]
MAGE_PYTHON = ROOT / "orchestration" / ".venv" / "bin" / "python"
PATIENCE_SECONDS = 90


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def city() -> Iterator[str]:
    """A simulated City on a free port; its address."""
    url = f"http://127.0.0.1:{free_port()}"
    taxi = [sys.executable, "-c", "from taxi_duration.cli import main; main()"]
    with running([*taxi, "city-api", "--port", url.rpartition(":")[2]], dict(os.environ)):
        wait_for(f"{url}/health")
        yield url


@contextmanager
def isolated(backends: Settings, city_api: str, home: Path) -> Iterator[tuple[Settings, str]]:
    """Settings with their own database, bucket and model; and the URL of a database for Mage."""
    name = f"taxi-{uuid4().hex[:8]}"
    own = with_own_bucket(backends).model_copy(
        update={
            "home": home,
            "city_api": city_api,
            "city_attempts": 1,
            "trips_per_month": 3_000,
            "report_sample": 500,
            "model_name": name,
            "mlflow_experiment": name,
            "mage_port": free_port(),
            "mage_trigger_token": SecretStr(f"token-{name}"),
            "mage_owner_password": SecretStr(f"password-{name}"),
        }
    )
    own = own.model_copy(update={"mage_url": f"http://127.0.0.1:{own.mage_port}"})
    with with_own_database(own) as settings, with_own_database(own) as mage:
        assert mage.database_url
        yield settings, mage.database_url.get_secret_value()


def mage_environment(settings: Settings, database: str) -> dict[str, str]:
    """The environment of Mage, as the stack makes it."""
    assert settings.mage_owner_password
    # Uncompiled, the libraries take four times as long to import.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        **as_environment(settings),
        "MAGE_DATABASE_CONNECTION_URL": database,
        "MAGE_DATA_DIR": str(settings.home / "mage"),
        "MAGE_VARIABLES_DIR": str(settings.home / "mage"),
        "MAX_NUMBER_OF_FILE_VERSIONS": "0",
        "DO_NOT_TRACK": "1",
        "JWT_SECRET": "a secret of the tests",
        "DEFAULT_OWNER_EMAIL": settings.mage_owner_email,
        "DEFAULT_OWNER_USERNAME": "owner",
        "DEFAULT_OWNER_PASSWORD": settings.mage_owner_password.get_secret_value(),
    }


def run_headless(
    settings: Settings,
    database: str,
    variables: dict[str, object],
    pipeline: str = PIPELINE,
    **environment: str,
) -> dict[str, Any]:
    """How one run ended that no server executed: `status` and, by block, `status` and `output`."""
    done = subprocess.run(
        [
            *(MAGE_PYTHON, ROOT / "tests" / "orchestration" / "headless.py"),
            *(json.dumps(variables), pipeline),
        ],
        env={**mage_environment(settings, database), **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    ended: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    ended["log"] = done.stderr
    return ended


@contextmanager
def mage_server(settings: Settings, database: str) -> Iterator[None]:
    """Mage with its scheduler, started as the stack starts it."""
    start = ROOT / "orchestration" / "start.sh"
    with running([str(start)], mage_environment(settings, database)):
        wait_for(f"{settings.mage_url}/api/status")
        yield


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    """A process in a group of its own, which ends as a whole."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise TimeoutError(f"{url} did not answer within {PATIENCE_SECONDS} s")
