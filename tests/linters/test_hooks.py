"""The hooks of pre-commit are checks of `make lint`, and need nothing from elsewhere."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from linters.checks import CHECKS, LINTERS, PROJECT

# What takes long or needs the network is left to `make lint`.
NOT_BEFORE_A_COMMIT = {"vulnerabilities", "locks", "compose", "security"}


@pytest.fixture(scope="module")
def hooks(root: Path) -> list[dict[str, Any]]:
    repositories = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    found: list[dict[str, Any]] = repositories[0]["hooks"]
    return found


def test_every_check_is_a_hook_or_is_left_to_make_lint(hooks: list[dict[str, Any]]) -> None:
    assert {hook["id"] for hook in hooks} == {check.name for check in CHECKS} - NOT_BEFORE_A_COMMIT


def test_a_hook_runs_the_check_of_its_name_and_no_command_of_its_own(
    hooks: list[dict[str, Any]],
) -> None:
    for hook in hooks:
        assert hook["entry"] == f".venv/bin/python -m linters {hook['id']}"
        assert (hook["language"], hook["pass_filenames"]) == ("system", False)


def test_a_hook_is_called_by_its_program(hooks: list[dict[str, Any]]) -> None:
    programs = {
        check.name: check.command[0].removeprefix(PROJECT).removeprefix(LINTERS) for check in CHECKS
    }
    for hook in hooks:
        program = programs[hook["id"]]
        told = {"lint-imports": "import-linter", "python": "detect-secrets"}.get(program, program)
        assert hook["name"].split()[0] == told


def test_every_check_says_what_to_do(hooks: list[dict[str, Any]]) -> None:
    assert all(check.remedy for check in CHECKS)
    assert all(bool(check.needs) == bool(check.lacking) for check in CHECKS)
