"""What counts as an engine, and what is said where there is none."""

import os
import sys
from pathlib import Path

import pytest

from containers.engine import (
    PYTHON_IMAGE,
    Engine,
    NoEngineError,
    provide_python,
    python_for_stand_in,
    running_engine,
)


def fake_docker(folder: Path, compose: str, *, up: bool = True) -> Engine:
    """A `docker` that knows no image, and the version of Compose that it claims."""
    program = folder / "docker"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in\n  info) exit {0 if up else 1} ;;\n'
        f"  compose) echo {compose} ;;\n  *) exit 1 ;;\nesac\n"
    )
    program.chmod(0o755)
    return Engine({**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})


@pytest.mark.parametrize(
    ("compose", "up", "usable"),
    [
        ("2.26.1-4", True, True),
        ("v2.24.0", True, True),
        ("2.23.3", True, False),
        ("2.26.1", False, False),
    ],
)
def test_an_engine_counts_that_answers_and_has_a_compose_of_today(
    tmp_path: Path, compose: str, up: bool, usable: bool
) -> None:
    assert fake_docker(tmp_path, compose, up=up).answers() is usable


def test_where_there_is_none_and_none_can_be_started_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_docker(tmp_path, "", up=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with (
        pytest.raises(NoEngineError, match=r"no Docker engine runs here.*needed: Docker"),
        running_engine(lambda _: None),
    ):
        pass


def fake_python(folder: Path, name: str, says: str) -> Path:
    """A `python` that tells another version and another folder than it is of."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho {says}\n")
    program.chmod(0o755)
    return program


def test_a_base_that_can_neither_be_pulled_nor_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debians = fake_python(tmp_path / "usr", "python3", "3 11 /usr")
    monkeypatch.setattr(sys, "executable", str(debians))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoEngineError, match=rf"{PYTHON_IMAGE} cannot be pulled.*neither {debians}"):
        provide_python(fake_docker(tmp_path, "2.26.1"), lambda _: None)


@pytest.mark.parametrize(
    ("own", "in_path", "chosen"),
    [
        ("3 11 /opt/own", "3 11 /opt/other", "/opt/own/bin/python3.11"),
        ("3 12 /opt/own", "3 11 /opt/other", "/opt/other/bin/python3.11"),
        ("3 11 /usr", "3 11 /opt/other", "/opt/other/bin/python3.11"),
        ("3 12 /opt/own", "3 11 /usr", None),
        ("3 12 /opt/own", "", None),
    ],
)
def test_the_stand_in_is_made_of_a_311_whichever_version_the_tests_run_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, in_path: str, chosen: str | None
) -> None:
    monkeypatch.setattr(sys, "executable", str(fake_python(tmp_path / "venv", "python", own)))
    monkeypatch.setenv("PATH", str(fake_python(tmp_path / "path", "python3.11", in_path).parent))
    assert python_for_stand_in() == (chosen and Path(chosen))
