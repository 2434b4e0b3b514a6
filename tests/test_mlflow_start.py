"""experiment-tracking/start.sh by itself, as in a container: with a sign-in, or on loopback."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from mlflow.environment_variables import MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_USERNAME

from mage_parts import free_port
from monitored import with_own_database
from taxi_duration.errors import RegistryError
from taxi_duration.registry.champion import champion
from taxi_duration.registry.runs import Runs
from taxi_duration.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "experiment-tracking" / "start.sh"
MLFLOW = Path(sys.executable).parent / "mlflow"


def start(**environment: str) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(
        [str(SCRIPT)],
        env={**kept, "MLFLOW": str(MLFLOW), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "MLflow needs a database"),
        ({"MLFLOW_BACKEND_STORE_URI": "x", "TAXI_HOST": "192.0.2.1"}, "without a sign-in"),
        ({"MLFLOW_BACKEND_STORE_URI": "x", "MLFLOW_ADMIN_PASSWORD": "x"}, "random secret"),
    ],
)
def test_what_is_unsafe_or_cannot_work_does_not_start(
    environment: dict[str, str], said: str
) -> None:
    process = start(**environment)
    output, _ = process.communicate(timeout=20)
    assert process.returncode
    assert said in output


@pytest.fixture
def own(backends: Settings) -> Iterator[Settings]:
    with with_own_database(backends) as settings:
        yield settings


@contextmanager
def signed_in_server(settings: Settings, password: str, tmp_path: Path) -> Iterator[Settings]:
    """The script's server with a sign-in, and the settings of who may use it."""
    assert settings.database_url is not None
    assert settings.s3_secret_access_key is not None
    port = free_port()
    process = start(
        TAXI_MLFLOW_PORT=str(port),
        TAXI_S3_BUCKET=settings.s3_bucket,
        MLFLOW_BACKEND_STORE_URI=settings.database_url.get_secret_value(),
        MLFLOW_S3_ENDPOINT_URL=str(settings.s3_endpoint),
        AWS_ACCESS_KEY_ID=str(settings.s3_access_key_id),
        AWS_SECRET_ACCESS_KEY=settings.s3_secret_access_key.get_secret_value(),
        MLFLOW_ADMIN_USERNAME="admin",
        MLFLOW_ADMIN_PASSWORD=password,
        MLFLOW_FLASK_SERVER_SECRET_KEY="of this test",
        TMPDIR=str(tmp_path),
    )
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 120
        while not _answers(url):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end
            time.sleep(0.2)
        changed = {"mlflow_url": url, "mlflow_username": "admin", "mlflow_password": password}
        yield Settings.model_validate({**settings.model_dump(), **changed})
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


@pytest.mark.stack
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("quick_retries")
def test_everybody_signs_in_and_a_changed_password_counts_from_the_next_start(
    own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # MLflow's clients take both from the environment, where the code that is tested puts them.
    for variable in (MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD):
        monkeypatch.setenv(variable.name, "")
        monkeypatch.delenv(variable.name)
    with signed_in_server(own, "first-password", tmp_path) as settings:
        page = f"{settings.mlflow_url}/api/2.0/mlflow/experiments/search?max_results=1"
        assert httpx.get(page).status_code == 401
        assert champion(settings) is None
        run = Runs.connect(settings).start("signed in", {})
        files = list(tmp_path.rglob("*.ini"))
        assert [file.stat().st_mode & 0o077 for file in files] == [0]
    with signed_in_server(own, "other-password", tmp_path) as settings:
        with pytest.raises(RegistryError, match="401"):
            champion(settings)  # signs in as the environment says, which is as before
        monkeypatch.setenv(MLFLOW_TRACKING_PASSWORD.name, "other-password")
        assert champion(settings) is None
        assert Runs.connect(settings).client.get_run(run).info.run_name == "signed in"
