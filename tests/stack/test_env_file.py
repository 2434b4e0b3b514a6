import stat
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from taxi_duration.stack.env_file import make_env

EXAMPLE = """\
# What runs.
COMPOSE_PROFILES=core

# A secret.
TAXI_A_PASSWORD=
#TAXI_OPTION=default
"""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / ".env.example"
    path.write_text(EXAMPLE)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_a_new_file_is_the_example_with_a_secret_where_it_is_empty(
    example: Path, target: Path
) -> None:
    assert make_env(example, target, lambda: "drawn") == ["COMPOSE_PROFILES", "TAXI_A_PASSWORD"]
    assert target.read_text() == EXAMPLE.replace("TAXI_A_PASSWORD=", "TAXI_A_PASSWORD=drawn")


def test_nobody_else_can_read_it_even_where_it_was_open_before(example: Path, target: Path) -> None:
    make_env(example, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.chmod(0o644)
    make_env(example, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_what_is_there_stays_to_the_last_byte(example: Path, target: Path) -> None:
    target.write_text("TAXI_A_PASSWORD=mine\nCOMPOSE_PROFILES=monitoring\nMY_OWN=1")
    before = target.read_bytes()
    assert make_env(example, target) == []
    assert target.read_bytes() == before


def test_a_variable_that_is_new_is_added_at_the_end(example: Path, target: Path) -> None:
    target.write_text("# mine\nCOMPOSE_PROFILES=core\n")
    assert make_env(example, target, lambda: "drawn") == ["TAXI_A_PASSWORD"]
    text = target.read_text()
    assert text.startswith("# mine\nCOMPOSE_PROFILES=core\n")
    assert text.endswith("\nTAXI_A_PASSWORD=drawn\n")


def test_a_secret_that_was_left_empty_is_drawn_in_its_place(example: Path, target: Path) -> None:
    target.write_text("TAXI_A_PASSWORD=\nCOMPOSE_PROFILES=core\n")
    assert make_env(example, target, lambda: "drawn") == ["TAXI_A_PASSWORD"]
    assert target.read_text() == "TAXI_A_PASSWORD=drawn\nCOMPOSE_PROFILES=core\n"


def test_no_two_secrets_are_equal(example: Path, target: Path) -> None:
    example.write_text("A=\nB=\nC=\n")
    make_env(example, target)
    values = [line.partition("=")[2] for line in target.read_text().splitlines()]
    assert len(set(values)) == 3
    assert all(len(value) == 40 and value.isalnum() for value in values)


def test_each_secret_is_drawn_once(example: Path, target: Path) -> None:
    numbers = count()
    example.write_text("A=\nB=\n")
    make_env(example, target, lambda: str(next(numbers)))
    assert target.read_text() == "A=0\nB=1\n"


def test_it_runs_without_the_projects_libraries_and_says_no_secret(
    root: Path, example: Path, target: Path
) -> None:
    script = root / "src" / "taxi_duration" / "stack" / "env_file.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), str(example), str(target)],
        capture_output=True,
        text=True,
        check=True,
    )
    secret = target.read_text().partition("TAXI_A_PASSWORD=")[2].split()[0]
    assert "TAXI_A_PASSWORD" in done.stdout
    assert secret not in done.stdout
