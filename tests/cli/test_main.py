"""The `taxi` command itself."""

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from taxi_duration.cli import COMMANDS, main
from taxi_duration.errors import SettingsError


def test_every_command_of_the_table_exists_and_has_help() -> None:
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(), name


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(main, ["fly"])
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.output


def test_an_error_of_ours_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXI_MLFLOW_PORT", "many")
    result = CliRunner().invoke(main, ["status"])
    assert result.exit_code == 1
    assert "TAXI_MLFLOW_PORT" in result.output
    assert not isinstance(result.exception, SettingsError)


def test_help_imports_no_command_that_is_not_asked_for() -> None:
    code = (
        "import sys; from taxi_duration.cli import main;"
        "heavy = {'mlflow', 'pyarrow', 'boto3', 'sqlalchemy', 'evidently', 'psutil'};"
        "main(['--help'], standalone_mode=False); print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert importlib.util.find_spec("mlflow") is not None
