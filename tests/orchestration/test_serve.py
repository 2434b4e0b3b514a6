"""What the server does beside what Mage does by itself."""

import subprocess
from pathlib import Path

import pytest

from mage_parts import MAGE_PYTHON, ROOT, city, isolated, mage_environment
from taxi_duration.settings import Settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def test_jobs_that_mages_queue_would_lose_are_kept_and_started(
    backends: Settings, tmp_path: Path
) -> None:
    with city() as url, isolated(backends, url, tmp_path) as place:
        done = subprocess.run(
            [
                *(MAGE_PYTHON, ROOT / "tests" / "orchestration" / "waiting_job.py"),
                tmp_path / "done",
            ],
            env=mage_environment(*place),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4_000:]
    # Where Mage alone keeps them some day, `serve` need not any longer.
    assert [line for line in done.stdout.splitlines() if "Mage alone" in line] == [
        "overlooked: Mage alone False, serve True",
        "taken: Mage alone False, serve True, lost without its process True",
    ]
