"""`taxi run` and `taxi backfill`, as a person types them, against a Mage server."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from linters.checks import listed
from mage_parts import city, free_port, isolated, mage_server
from taxi_duration.cli.pipeline import backfill, run, summary, variables_of
from taxi_duration.settings import Settings
from taxi_duration.stack.resolved import as_environment

Taxi = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_month_that_is_none_is_refused_before_mage_is_asked() -> None:
    result = CliRunner().invoke(run, ["--month", "2019-13"])
    assert result.exit_code == 2
    assert "Write it as 2019-03" in result.output


def test_a_backfill_that_goes_backwards_is_refused() -> None:
    result = CliRunner().invoke(backfill, ["2019-03", "2019-01"])
    assert result.exit_code == 2
    assert "2019-01 is before 2019-03" in result.output


def test_options_that_were_left_out_are_no_variables_but_zero_is_one() -> None:
    left_out = {"month": "", "history": None, "city_api": None, "replace_source": False}
    given = {"cap": 0, "seed": 0, "search_trials": 20, "search_seconds": 0.0}
    assert variables_of({**left_out, **given}) == given


def test_where_the_first_model_was_refused_it_says_that_none_serves() -> None:
    refused = {"version": "1", "champion": "", "reason": "MAE 4.1 min against 4.0 min."}
    month = {"month": "2019-03", "source": "files", "trips": {"2019-03": 5912}}
    said = summary({**month, **refused, "drifted_share": 0.12})
    assert said.endswith("model version 1, champion none: MAE 4.1 min against 4.0 min.")


@pytest.mark.parametrize("option", ["--search-trials", "--search-seconds", "--cap"])
def test_a_budget_below_zero_is_refused_before_mage_is_asked(option: str) -> None:
    result = CliRunner().invoke(run, [option, "-1"])
    assert result.exit_code == 2
    assert option in result.output


def test_without_mage_it_fails_and_says_what_to_do(tmp_path: Path) -> None:
    done = taxi_with(
        {
            "TAXI_HOME": str(tmp_path),
            "TAXI_MAGE_URL": f"http://127.0.0.1:{free_port()}",
            "TAXI_MAGE_OWNER_PASSWORD": "password",
            "TAXI_MAGE_TRIGGER_TOKEN": "token",
        }
    )("run")
    assert done.returncode == 1
    assert "`taxi up`" in done.stderr
    assert "Traceback" not in done.stderr


def taxi_with(environment: dict[str, str]) -> Taxi:
    def taxi(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", "from taxi_duration.cli import main; main()", *arguments],
            env={**os.environ, **environment, **more},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    return taxi


def project_files(root: Path) -> dict[Path, bytes]:
    """The Mage project as git sees it."""
    project = root / "orchestration" / "taxi_duration"
    return {project / name: (project / name).read_bytes() for name in listed(project)}


@pytest.fixture(scope="module")
def before(root: Path) -> dict[Path, bytes]:
    return project_files(root)


@pytest.fixture(scope="module")
def taxi(
    backends: Settings, before: dict[Path, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Taxi]:
    """Types a command to a Mage that never has enough trips to train."""
    home = tmp_path_factory.mktemp("mage")
    # Mage's own setting leads nowhere, so that what the command hands on counts.
    with city() as url, isolated(backends, "http://127.0.0.1:9", home) as (own, database):
        settings = own.model_copy(update={"min_training_trips": 10**6})
        with mage_server(settings, database):
            yield taxi_with({**as_environment(settings), "TAXI_CITY_API": url})


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_a_run_is_followed_block_by_block_to_what_it_made(taxi: Taxi) -> None:
    done = taxi("run", "--month", "2019-03", "--history", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    states = dict(line.split()[:2] for line in done.stdout.splitlines()[1:-1])
    assert states["load_trips"] == states["record_drift"] == "done"
    assert states["build_features"] == states["register_model"] == "skipped"
    assert "2019-03 (simulated): " in done.stdout.splitlines()[-1]
    assert "too few trips to train on" in done.stdout.splitlines()[-1]


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_a_block_that_fails_is_named_with_its_last_lines(taxi: Taxi) -> None:
    nowhere = "http://127.0.0.1:9"
    done = taxi("run", "--month", "2019-03", "--city-api", nowhere)
    assert done.returncode == 1
    assert "load_trips       failed" in done.stdout
    assert "Error: The block load_trips failed: " in done.stderr
    assert nowhere in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_a_backfill_runs_month_after_month_and_sums_up(taxi: Taxi) -> None:
    done = taxi("backfill", "2019-02", "2019-03", "--history", "1", "--cap", "1000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("record_drift     done") == 2
    last = done.stdout.splitlines()[-2:]
    assert [line[:9] for line in last] == ["2019-02 (", "2019-03 ("]


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_a_live_run_in_which_nothing_was_asked_says_so(taxi: Taxi) -> None:
    done = taxi("live", "--hours", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "record_window    done" in done.stdout
    assert done.stdout.rstrip().endswith("nothing was asked")


@pytest.mark.stack
@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("TAXI_MAGE_TRIGGER_TOKEN", "Invalid token"),
        ("TAXI_MAGE_OWNER_PASSWORD", "password invalid"),
    ],
)
def test_a_wrong_secret_starts_nothing(taxi: Taxi, setting: str, reason: str) -> None:
    done = taxi("run", "--month", "2019-03", **{setting: "wrong"})
    assert done.returncode == 1
    assert reason in done.stderr


@pytest.mark.stack
def test_after_all_this_the_project_folder_is_as_it_was(
    taxi: Taxi, before: dict[Path, bytes], root: Path
) -> None:
    assert project_files(root) == before
