"""`taxi up`, `taxi down` and `taxi status`, as a person calls them."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from taxi_duration.cli import main
from taxi_duration.settings import Settings
from taxi_duration.stack.processes import leftovers
from taxi_duration.stack.resolved import as_environment

TAXI = str(Path(sys.executable).with_name("taxi"))


@pytest.fixture
def settings(tmp_path: Path, stack_settings: Callable[[Path], Settings]) -> Settings:
    return stack_settings(tmp_path / "home").model_copy(update={"city_api": "city"})


def environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, **as_environment(settings)}


def taxi(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [TAXI, *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def taxi_here(settings: Settings, *arguments: str) -> Result:
    """The same within this process: what starts nothing needs none of its own."""
    return CliRunner().invoke(main, arguments, env=as_environment(settings))


def test_status_of_a_stack_that_does_not_run_says_so_and_is_not_well(settings: Settings) -> None:
    done = taxi_here(settings, "status", "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["model"] == {"version": None, "source": None}
    assert list(told["services"]) == ["postgres", "s3", "mlflow", "mage", "service"]
    assert told["services"]["mlflow"] == {
        "state": "stopped",
        "url": f"http://127.0.0.1:{settings.mlflow_port}",
        "pid": None,
    }


def test_asking_for_the_state_makes_nothing(settings: Settings) -> None:
    assert taxi_here(settings, "status").exit_code == 1
    assert taxi_here(settings, "down").exit_code == 0
    assert taxi_here(settings, "down", "--remove").exit_code == 0
    assert not settings.home.exists()


@pytest.mark.stack
def test_a_taken_port_is_told_in_one_line_without_a_traceback(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.mage_port)):
        done = taxi(settings, "up")
    assert done.returncode == 1
    assert f"Port {settings.mage_port} (TAXI_MAGE_PORT, for mage)" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.stack
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_start_that_is_interrupted_leaves_no_process(
    settings: Settings, ending: signal.Signals
) -> None:
    process = subprocess.Popen(
        [TAXI, "up", "--stay"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with process:
        assert "healthy" in process.stdout.readline()
        assert leftovers(settings.home)
        process.send_signal(ending)
        told = process.stdout.read()
        assert process.wait(timeout=60) == 130
    assert "Interrupted" in told
    assert "Traceback" not in told
    assert leftovers(settings.home) == []
