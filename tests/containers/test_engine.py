"""What counts as an engine, and what is said where there is none."""

import os
import sys
from pathlib import Path

import pytest

from containers.engine import PYTHON_IMAGE, Engine, NoEngineError, provide_python, running_engine


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


def test_a_base_that_can_neither_be_pulled_nor_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    with pytest.raises(NoEngineError, match=rf"{PYTHON_IMAGE} cannot be pulled.*in /usr"):
        provide_python(fake_docker(tmp_path, "2.26.1"), lambda _: None)
