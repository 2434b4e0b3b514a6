import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from taxi_duration.cli import main


@contextmanager
def city_api(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a process on a free port, and its URL once it serves."""
    command = [sys.executable, "-c", "from taxi_duration.cli import main; main()", "city-api"]
    process = subprocess.Popen(
        [*command, "--port", "0", *arguments],
        env={"TAXI_HOME": str(home), "TAXI_SIMULATED_TRIPS_PER_DAY": "100"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        try:
            yield process, found[0]
        finally:
            process.kill()


@pytest.mark.stack
def test_simulated_trips_are_served_until_sigterm_which_ends_it_at_once(tmp_path: Path) -> None:
    with city_api(tmp_path, "--seed", "5") as (process, url):
        health = httpx.get(f"{url}/health")
        assert health.json() == {"status": "ok", "source": "simulated"}
        assert len(httpx.get(f"{url}/resource/wrvz-psew.json").json()) == 1000
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=5)
        assert time.monotonic() - begun < 1


@pytest.mark.stack
def test_files_are_served_and_failures_asked_for_happen(tmp_path: Path) -> None:
    for name, day in (("a.csv", 1), ("b.csv", 2)):
        (tmp_path / name).write_text(f"trip_start_timestamp,fare\n2019-01-0{day},3.25\n", "utf-8")
    files = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    with city_api(tmp_path, "--fail", "500:1", "--trips", *files) as (_, url):
        assert httpx.get(f"{url}/resource/wrvz-psew.json").status_code == 500
        answer = httpx.get(f"{url}/resource/wrvz-psew.json")
        assert answer.headers["X-Taxi-Source"] == "files"
        assert [row["trip_start_timestamp"][:10] for row in answer.json()] == [
            "2019-01-01",
            "2019-01-02",
        ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trips", "nowhere.parquet"], "nowhere.parquet does not exist"),
        (["--fail", "sometimes"], "no way to fail"),
        (["nowhere.parquet"], "after --trips"),
        (["--port", "99999"], "--port"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, ["city-api", *arguments])
    assert result.exit_code != 0
    assert message in result.output
