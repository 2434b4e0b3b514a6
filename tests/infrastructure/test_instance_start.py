"""What the one instance does at each start and change, with AWS and Docker played."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

START = "infrastructure/modules/instance/start.sh"
VALUES = {"TAXI_FIRST": "aA1", "TAXI_SECOND": "bB2"}
# The bucket is a folder; a secret's ARN is its name; Docker fails where it is told to.
AWS = """
case "$1 $2" in
"s3 sync") from=${*: -2:1}; cp -r "${from#s3://}." . ;;
"secretsmanager get-secret-value") python3 -c "
import json, os, sys
print(json.loads(os.environ['PLAYED_SECRETS'])[sys.argv[1]])" "$4" ;;
"ecr get-login-password") echo token ;;
esac
"""
DOCKER = """
echo "$*" >>"$PLAYED_LOG"
case "$*" in login*) cat >/dev/null ;; *"up --detach"*) exit "${PLAYED_EXIT:-0}" ;; esac
"""

Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    files = tmp_path / "bucket" / "instance"
    (files / "monitoring").mkdir(parents=True)
    (files / "docker-compose.yml").write_text("services: {}\n")
    (files / "docker-compose.aws.yml").write_text("services: {}\n")
    (files / "settings.env").write_text("TAXI_PUBLISH=0.0.0.0\n")
    (files / "monitoring" / "containers.yml").write_text("one\n")
    return files


@pytest.fixture
def start(root: Path, tmp_path: Path, bucket: Path) -> Start:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in {"aws": AWS, "docker": DOCKER, "cloud-init": ""}.items():
        (programs / name).write_text(f"#!/bin/bash\n{body}")
        (programs / name).chmod(0o755)

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", root / START],
            env={
                "PATH": f"{programs}:{os.environ['PATH']}",
                "TAXI_FOLDER": str(tmp_path / "taxi"),
                "TAXI_FILES": f"s3://{bucket}",
                "TAXI_SECRETS": " ".join(f"{name}={name}" for name in VALUES),
                "TAXI_REGISTRIES": "1.example.com 2.example.com",
                "PLAYED_SECRETS": json.dumps(VALUES),
                "PLAYED_LOG": str(tmp_path / "log"),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_secrets_are_lines_that_only_the_owner_can_read(start: Start, tmp_path: Path) -> None:
    assert start().returncode == 0
    written = tmp_path / "taxi" / ".env"
    assert written.read_text().splitlines() == [
        "TAXI_PUBLISH=0.0.0.0",
        *(f"{name}={value}" for name, value in VALUES.items()),
    ]
    assert written.stat().st_mode & 0o777 == 0o600


def test_it_starts_what_is_named_by_digest_and_builds_nothing(start: Start, tmp_path: Path) -> None:
    start()
    asked = (tmp_path / "log").read_text().splitlines()
    assert asked[:2] == [
        f"login --username AWS --password-stdin {number}.example.com" for number in (1, 2)
    ]
    files = "compose -f docker-compose.yml -f docker-compose.aws.yml"
    assert asked[2:4] == [
        f"{files} pull --quiet",
        f"{files} up --detach --no-build --remove-orphans",
    ]


def test_a_mounted_file_that_changed_is_read_again_and_only_then(
    start: Start, tmp_path: Path, bucket: Path
) -> None:
    start()
    (tmp_path / "log").unlink()
    start()
    assert "restart" not in (tmp_path / "log").read_text()
    (bucket / "monitoring" / "containers.yml").write_text("two\n")
    start()
    assert "restart gateway prometheus" in (tmp_path / "log").read_text()


def test_a_stack_that_does_not_get_healthy_fails_the_start(start: Start) -> None:
    assert start(PLAYED_EXIT="1").returncode == 1


def test_a_secret_that_cannot_be_read_leaves_the_former_ones(start: Start, tmp_path: Path) -> None:
    start()
    before = (tmp_path / "taxi" / ".env").read_text()
    assert start(PLAYED_SECRETS="{}").returncode != 0
    assert (tmp_path / "taxi" / ".env").read_text() == before
