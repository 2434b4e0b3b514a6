"""Which Python the environments are made with, and what is told where they cannot be made."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RULE = "chosen: ; @echo '$(PYTHON)'\n"


def pythons(folder: Path, **fits: bool) -> Path:
    """A folder for PATH with one program each, which says whether its version fits."""
    for name, fit in fits.items():
        program = folder / name.replace("_", ".")
        program.write_text(f"#!/bin/sh\nexit {0 if fit else 1}\n")
        program.chmod(0o755)
    return folder


def make(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program
    return subprocess.run(
        [program, "-f", "Makefile", "-f", "-", *arguments],
        cwd=ROOT,
        input=RULE,
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_python_that_is_first_in_path_comes_before_another_that_fits(tmp_path: Path) -> None:
    folder = pythons(tmp_path, python3=True, python3_11=True, python3_12=True)
    assert make(folder, "chosen").stdout == "python3\n"


@pytest.mark.parametrize("fit", ["python3.11", "python3.12"])
def test_where_it_does_not_fit_one_that_does_is_taken(tmp_path: Path, fit: str) -> None:
    names = {"python3": False, "python3_11": False, "python3_12": False}
    folder = pythons(tmp_path, **{**names, fit.replace(".", "_"): True})
    assert make(folder, "chosen").stdout == f"{fit}\n"


def test_where_none_fits_make_says_which_are_needed(tmp_path: Path) -> None:
    answer = make(pythons(tmp_path, python3=False), "env")
    assert answer.returncode != 0
    assert "Python 3.11 or 3.12 is needed and was not found" in answer.stderr


def make_in(folder: Path, target: str) -> subprocess.CompletedProcess[str]:
    """What the project's Makefile does in another folder."""
    return subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), target],
        cwd=folder,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["a%b", "a$b"])
def test_a_path_that_parts_take_for_something_else_is_told_before_all(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    done = make_in(folder, "setup")
    assert done.returncode != 0
    assert f"{name}, has % or $" in done.stderr
    assert list(folder.iterdir()) == []


def test_a_lock_that_does_not_follow_the_project_is_told(tmp_path: Path) -> None:
    project = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(re.sub(r"flask \(==.+\)", "flask (==1.0)", project))
    (tmp_path / "poetry.lock").symlink_to(ROOT / "poetry.lock")
    (tmp_path / ".tools").mkdir()
    for tool in (ROOT / ".tools" / "bin", *(ROOT / ".tools").glob(".installed-*")):
        (tmp_path / ".tools" / tool.name).symlink_to(tool)
    done = make_in(tmp_path, ".venv/bin/.installed")
    assert done.returncode != 0
    assert "pyproject.toml changed" in done.stderr
