import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from decided import decided
from registered import own_model, registered
from taxi_duration.cli import main
from taxi_duration.registry.versions import write_decision
from taxi_duration.settings import Settings
from taxi_duration.stack.resolved import as_environment


def taxi(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["model", *map(str, arguments)])


@pytest.fixture
def empty(backends: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A registered model of its own without versions, found through the environment."""
    settings = own_model(backends)
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def settings(empty: Settings) -> Settings:
    """Two versions, the second one refused."""
    registered(empty)
    second = registered(empty, "simulated")
    write_decision(empty, decided(milliseconds=99.0).of_version(second.version), "")
    return empty


@pytest.mark.stack
def test_without_versions_the_next_step_is_told(empty: Settings) -> None:
    assert taxi("list").output == "No version yet: `taxi run` trains one.\n"
    assert taxi("history").output == "No version has served yet: `taxi run` trains one.\n"
    assert json.loads(taxi("list", "--json").output) == []
    assert json.loads(taxi("history", "--json").output) == []
    assert "No version serves" in taxi("show").output


@pytest.mark.stack
def test_versions_are_listed_with_decision_and_alias(settings: Settings) -> None:
    taxi("promote", 1, "--reason", "It is the first.")
    output = taxi("list").output.splitlines()
    assert "refused: One trip takes 99.00 ms; at most 20 ms are allowed." in output[1]
    assert "champion" in output[2]
    found = json.loads(taxi("list", "--json").output)
    assert [(each["version"], each["aliases"]) for each in found] == [
        ("2", []),
        ("1", ["champion"]),
    ]
    assert found[0]["gate"]["gain"] == "0.1"


@pytest.mark.stack
def test_one_version_is_shown_the_champion_if_none_is_named(settings: Settings) -> None:
    taxi("promote", 1, "--reason", "It is the first.")
    assert json.loads(taxi("show", "--json").output)["version"] == "1"
    shown = taxi("show", 2).output
    assert "One trip takes 99.00 ms" in shown
    assert "gate: milliseconds" in shown
    missing = taxi("show", 7)
    assert missing.exit_code == 1
    assert "There is no version 7" in missing.output


@pytest.mark.stack
def test_a_promotion_without_a_reason_is_refused(settings: Settings) -> None:
    assert "Missing option '--reason'" in taxi("promote", 1).output
    blank = taxi("promote", 1, "--reason", " ")
    assert blank.exit_code == 1
    assert "needs a reason" in blank.output
    assert "No version serves" in taxi("show").output


@pytest.mark.stack
def test_history_tells_what_served_when_who_changed_it_and_why(settings: Settings) -> None:
    assert taxi("promote", 1, "--reason", "It is the first [one].").output == "Version 1 serves.\n"
    taxi("promote", 2, "--reason", "It is newer.")
    assert taxi("rollback", "--reason", "It is slow.").output == "Version 1 serves again.\n"
    found = json.loads(taxi("history", "--json").output)
    assert [each["version"] for each in found] == ["1", "2", "1"]
    assert [each["action"] for each in found] == ["promote", "promote", "rollback"]
    assert [each["reason"] for each in found] == [
        "It is the first [one].",
        "It is newer.",
        "It is slow.",
    ]
    assert all("@" in each["by"] for each in found)
    assert found[1]["until"] == found[2]["since"]
    shown = taxi("history").output
    assert "It is the first [one]." in shown
    assert shown.count("now") == 1


@pytest.mark.stack
def test_history_tells_what_served_at_a_moment(settings: Settings) -> None:
    taxi("promote", 1, "--reason", "It is the first.")
    taxi("promote", 2, "--reason", "It is newer.")
    [now] = json.loads(taxi("history", "--json", "--at", "2999-01-01").output)
    assert now["version"] == "2"
    assert taxi("history", "--at", "2009-01-01").output == "No version has served then.\n"


@pytest.mark.stack
def test_without_a_former_champion_there_is_no_rollback(settings: Settings) -> None:
    result = taxi("rollback")
    assert result.exit_code == 1
    assert "`taxi model promote` takes any version" in result.output


@pytest.mark.slow
@pytest.mark.usefixtures("quick_retries")
def test_a_registry_that_does_not_answer_is_told_in_one_line(tmp_path: Path) -> None:
    away = {"TAXI_HOME": str(tmp_path), "TAXI_MLFLOW_URL": "http://127.0.0.1:24990"}
    # Not inside this process, where pytest takes what is logged.
    done = subprocess.run(
        [Path(sys.executable).with_name("taxi"), "model", "list"],
        env={**os.environ, **away},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = (done.stdout + done.stderr).splitlines()
    assert line.startswith("Error: The registry at http://127.0.0.1:24990 failed")
    assert line.endswith("`taxi status`.")
