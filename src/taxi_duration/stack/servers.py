"""The parts that speak HTTP: MLflow, Mage, the service, and the stand-in for the City's API."""

import sys
from functools import partial
from pathlib import Path
from typing import Final

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
    return Part(
        name="service",
        command=(
            str(_BIN / "gunicorn"),
            f"--config={config}",
            "duration_service:create_app()",
        ),
        environment=as_environment(settings),
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


def _healthy(settings: Settings, port: int, path: str) -> "partial[bool]":
    return partial(answers, reach(settings.host), port, path)


def _s3_environment(settings: Settings) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": plain(settings.s3_access_key_id),
        "AWS_SECRET_ACCESS_KEY": plain(settings.s3_secret_access_key),
        "AWS_DEFAULT_REGION": settings.s3_region,
        "MLFLOW_S3_ENDPOINT_URL": plain(settings.s3_endpoint),
    }
