"""The stack of docker-compose.yml under test: fresh secrets, free ports, a project of its own."""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from containers.engine import Engine
from taxi_duration.stack.env_file import make_env

# The project's own images; Grafana's base cannot be pulled everywhere.
OWN_IMAGES = ("mlflow", "mage", "web-service")
STAND_INS = ("postgres", "s3", "gateway", "prometheus")
PUBLISHED = ("SERVICE", "MLFLOW", "MAGE", "PROMETHEUS")
IMAGES = "taxi-duration-test"
PATIENCE_SECONDS = 240


@dataclass(frozen=True)
class ComposeStack:
    """Calls `docker compose`, and asks what it brought up."""

    engine: Engine
    root: Path
    environment: Mapping[str, str]
    secrets: Mapping[str, str]

    @classmethod
    def prepare(cls, engine: Engine, root: Path, folder: Path, ports: range) -> "ComposeStack":
        """Settings of a small stack, with nothing taken from the machine's own `.env`."""
        env_file = folder / "test.env"
        names = make_env(root / ".env.example", env_file)
        lines = dict(
            line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line
        )
        named = zip((f"TAXI_{name}_PORT" for name in PUBLISHED), map(str, ports), strict=False)
        environment = {
            **{
                k: v
                for k, v in engine.environment.items()
                if not k.startswith(("TAXI_", "COMPOSE_"))
            },
            **dict(named),
            "COMPOSE_FILE": "docker-compose.yml:tests/containers/compose.stand-ins.yml",
            "COMPOSE_ENV_FILES": str(env_file),
            "COMPOSE_PROJECT_NAME": f"taxi-test-{os.getpid()}",
            "COMPOSE_PROFILES": "core,monitoring",
            "COMPOSE_PROGRESS": "plain",
            "TAXI_IMAGES": IMAGES,
            "TAXI_CITY_API": "simulated",
            "TAXI_SIMULATED_TRIPS_PER_DAY": "300",
            "TAXI_TRIPS_PER_MONTH": "6000",
            "BACKUPS": str(folder / "backups"),
        }
        secrets = {name: lines[name] for name in names if not name.startswith("COMPOSE_")}
        return cls(engine, root, environment, secrets)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command from the top of the checkout, with all of the stack's settings."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def compose(self, *words: str) -> str:
        """What `docker compose …` prints."""
        return self.run("docker", "compose", *words).stdout

    def inside(self, service: str, *command: str) -> str:
        """What a command in a service's first container prints."""
        return self.compose("exec", "--no-TTY", service, *command)

    def containers(self, service: str = "") -> list[str]:
        """The ids of the containers that run, of one service or of all."""
        return self.compose("ps", "--quiet", *([service] if service else [])).split()

    def up(self, replicas: int = 3) -> None:
        """Start everything and wait until all containers are healthy; a first run may go on."""
        self.compose("up", "--detach", "--scale", f"web-service={replicas}")
        self.wait_until_healthy(*self.containers())

    def wait_until_healthy(self, *ids: str) -> None:
        """Until these containers say so; those without a health check only have to run."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while ill := [each["Name"] for each in self.inspect(*ids) if not _is_well(each["State"])]:
            assert time.monotonic() < deadline, f"not healthy: {ill}\n{self.logs()}"
            time.sleep(0.5)

    def wait_for_end(self, service: str) -> None:
        """Until a one-shot service has ended, and ended well."""
        [container] = self.compose("ps", "--all", "--quiet", service).split()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (state := self.inspect(container)[0]["State"])["Status"] != "exited":
            assert time.monotonic() < deadline, f"{service} goes on\n{self.logs()}"
            time.sleep(0.5)
        assert state["ExitCode"] == 0, self.logs(service)

    def logs(self, *services: str) -> str:
        """The last lines of each container's log."""
        return self.compose("logs", "--no-color", "--tail", "40", *services)

    def inspect(self, *ids: str) -> list[dict[str, Any]]:
        """All that Docker knows of containers or images."""
        found: list[dict[str, Any]] = json.loads(self.run("docker", "inspect", *ids).stdout)
        return found

    def url(self, name: str) -> str:
        """Where a published part is, such as `SERVICE`."""
        return f"http://127.0.0.1:{self.environment[f'TAXI_{name}_PORT']}"

    def get(self, name: str, path: str, **options: Any) -> httpx.Response:
        """The answer of a published part."""
        return httpx.get(f"{self.url(name)}{path}", timeout=30, trust_env=False, **options)

    def mlflow(self, path: str, **body: Any) -> dict[str, Any]:
        """What MLflow answers to its signed-in administrator."""
        response = httpx.post(
            f"{self.url('MLFLOW')}/api/2.0/mlflow/{path}",
            json=body,
            auth=("admin", self.secrets["TAXI_MLFLOW_PASSWORD"]),
            timeout=30,
            trust_env=False,
        )
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer

    def query(self, database: str, sql: str) -> set[str]:
        """The rows of a query, each as one line."""
        words = ("psql", "-qtAX", "-U", "postgres", "-d", database, "-c", sql)
        shell = 'PGPASSWORD=$POSTGRES_PASSWORD exec "$@"'
        return set(self.inside("postgres", "sh", "-c", shell, "sh", *words).splitlines())


def _is_well(state: dict[str, Any]) -> bool:
    ended_well = state["Status"] == "exited" and state["ExitCode"] == 0
    return ended_well or state.get("Health", {"Status": state["Status"]})["Status"] in (
        "healthy",
        "running",
    )
