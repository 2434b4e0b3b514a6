"""What README.md and docs/api.md show of the service is run as it stands there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICE = "http://localhost:9696"
# What is answered with a problem: a misspelt field, and figures where there is no database.
PROBLEMS = {"pickup_area": "422", "/monitoring.json": "503"}


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def curl_commands(page: str) -> list[str]:
    commands = [block for block in blocks(page, "sh") if block.startswith("curl ")]
    for block in blocks(page, "console"):
        typed = re.findall(r"^\$ (curl .*(?:\n(?!\$ ).*)*)", block, re.MULTILINE)
        commands += typed
    return [command for command in commands if SERVICE in command]


def programs(page: str) -> list[str]:
    return [program for program in blocks(page, "python") if SERVICE in program]


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_every_curl_command_is_answered_and_what_is_wrong_on_purpose_with_a_problem(
    live: str, page: str
) -> None:
    if not shutil.which("curl"):
        pytest.skip("there is no curl here: `apt-get install curl` brings it")
    commands = curl_commands(page)
    assert len(commands) >= 2
    for command in commands:
        told = f"{command.strip()} --silent --show-error --write-out '\n%{{http_code}}'"
        answer, status = run("bash", "-c", told.replace(SERVICE, live)).rsplit("\n", 1)
        expected = next((PROBLEMS[word] for word in PROBLEMS if word in command), "200")
        assert status == expected, answer


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_every_python_program_runs_and_prints_minutes(live: str, page: str) -> None:
    for program in programs(page):
        printed = run(sys.executable, "-W", "error", "-c", program.replace(SERVICE, live))
        assert re.match(r"\d+ minutes", printed), printed


def test_the_client_is_shown() -> None:
    assert any("DurationClient" in program for program in programs("docs/api.md"))
    assert len(programs("docs/api.md")) == 2
