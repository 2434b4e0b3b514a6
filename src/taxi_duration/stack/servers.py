"""The parts that speak HTTP: MLflow, Mage, the service, and the stand-in for the City's API."""

import hashlib
import os
import stat
import sys
from functools import partial
from pathlib import Path
from typing import Final

from taxi_duration.errors import StackError
from taxi_duration.settings import Settings
from taxi_duration.stack.health import answers
from taxi_duration.stack.part import Part
from taxi_duration.stack.resolved import (
    Secrets,
    as_environment,
    database_url,
    plain,
    reach,
)

ROOT: Final = Path(__file__).resolve().parents[3]
# A folder that lies in memory, on Linux.
MEMORY: Final = Path("/dev/shm")  # noqa: S108  what is found there is checked
_BIN: Final = Path(sys.executable).parent


def mlflow(settings: Settings, secrets: Secrets) -> Part:
    """The MLflow server over Postgres and S3."""
    return Part(
        name="mlflow",
        command=(str(ROOT / "experiment-tracking" / "start.sh"),),
        environment={
            **as_environment(settings),
            **_s3_environment(settings),
            "MLFLOW": str(_BIN / "mlflow"),
            "MLFLOW_BACKEND_STORE_URI": database_url(settings, secrets, "mlflow"),
        },
        healthy=_healthy(settings, settings.mlflow_port, "/health"),
        ports={"TAXI_MLFLOW_PORT": [settings.mlflow_port]},
        url=settings.mlflow_url,
        needs=("postgres", "s3"),
    )


def mage(settings: Settings, secrets: Secrets) -> Part:
    """Mage over Postgres, with sign-in: who reaches its UI can run code on this machine."""
    return Part(
        name="mage",
        command=(str(ROOT / "orchestration" / "start.sh"),),
        environment={
            **as_environment(settings),
            "MAGE_DATABASE_CONNECTION_URL": database_url(settings, secrets, "mage"),
            "MAGE_VARIABLES_DIR": str(settings.home / "mage"),
            "REQUIRE_USER_AUTHENTICATION": "1",
            "JWT_SECRET": secrets.derive("mage jwt"),
            "DEFAULT_OWNER_EMAIL": settings.mage_owner_email,
            "DEFAULT_OWNER_USERNAME": settings.mage_owner_email.partition("@")[0],
            "DEFAULT_OWNER_PASSWORD": plain(settings.mage_owner_password),
        },
        healthy=_healthy(settings, settings.mage_port, "/api/status"),
        prepare=partial((settings.home / "mage").mkdir, mode=0o700, exist_ok=True),
        ports={"TAXI_MAGE_PORT": [settings.mage_port]},
        url=settings.mage_url,
        needs=("postgres",),
    )


def service(settings: Settings, _secrets: Secrets) -> Part:
    """The prediction service under gunicorn."""
    config = ROOT / "web-service" / "gunicorn.conf.py"
    metrics = _metrics_folder(settings)
    return Part(
        name="service",
        command=(
            str(_BIN / "gunicorn"),
            f"--config={config}",
            "duration_service:create_app()",
        ),
        environment=as_environment(settings.model_copy(update={"metrics_folder": metrics})),
        prepare=partial(_make_private, metrics),
        healthy=_healthy(settings, settings.service_port, "/health"),
        ports={"TAXI_SERVICE_PORT": [settings.service_port]},
        url=settings.service_url,
        needs=("mlflow",),
    )


def city_api(settings: Settings, _secrets: Secrets) -> Part:
    """The stand-in for the City's API."""
    port = settings.city_api_port
    return Part(
        name="city-api",
        command=(str(_BIN / "taxi"), "city-api", f"--host={settings.host}", f"--port={port}"),
        environment=as_environment(settings),
        healthy=_healthy(settings, port, "/health"),
        ports={"TAXI_CITY_API_PORT": [port]},
        url=f"http://{reach(settings.host)}:{port}",
    )


def _metrics_folder(settings: Settings) -> Path | None:
    """In memory where the system has such a folder (Linux).

    On a disk a process that counts waits 20 to 40 ms now and then, until the disk has written what
    it counted before, and all its requests with it.
    """
    if settings.metrics_folder or not os.access(MEMORY, os.W_OK):
        return settings.metrics_folder
    home = hashlib.sha256(bytes(settings.home)).hexdigest()[:16]
    return MEMORY / f"taxi-duration-{home}-{settings.service_port}"


def _make_private(folder: Path | None) -> None:
    """Make a folder beside those of other users; StackError where one of them has it."""
    if folder is None or folder.parent != MEMORY:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid != os.getuid():
        raise StackError(
            f"{folder}, where the service's processes share metrics, can be written by others.",
            "Remove it, or set TAXI_METRICS_FOLDER to a folder of your own.",
        )


def _healthy(settings: Settings, port: int, path: str) -> "partial[bool]":
    return partial(answers, reach(settings.host), port, path)


def _s3_environment(settings: Settings) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": plain(settings.s3_access_key_id),
        "AWS_SECRET_ACCESS_KEY": plain(settings.s3_secret_access_key),
        "AWS_DEFAULT_REGION": settings.s3_region,
        "MLFLOW_S3_ENDPOINT_URL": plain(settings.s3_endpoint),
    }
