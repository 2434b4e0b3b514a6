"""What the server does beside what Mage does by itself."""

import subprocess
from pathlib import Path

import pytest

from mage_parts import MAGE_PYTHON, ROOT, city, isolated, mage_environment
from taxi_duration.settings import Settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def test_a_job_that_mages_queue_overlooked_is_started(backends: Settings, tmp_path: Path) -> None:
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
    # Where Mage alone starts it some day, `serve` need not any longer.
    assert done.stdout.splitlines()[-1] == "Mage alone: False, serve: True"
