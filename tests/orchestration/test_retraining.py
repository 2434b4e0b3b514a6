"""What asks for a retraining, against a real Mage."""

import json
import subprocess
from pathlib import Path

import pytest

from mage_parts import MAGE_PYTHON, ROOT, isolated, mage_environment
from monitored import figures
from taxi_duration.monitoring import retrainings
from taxi_duration.monitoring.judged_months import judged_month
from taxi_duration.monitoring.need import Need
from taxi_duration.settings import Settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def test_a_step_that_was_killed_once_it_had_queued_a_run_queues_no_second_one(
    backends: Settings, tmp_path: Path
) -> None:
    with isolated(backends, "", tmp_path) as (settings, database):
        month = judged_month(figures(month="2019-04"))
        need = Need("queued", "The errors grow.")
        number = retrainings.write(settings, need, "simulated", [month], "2")
        decided = {
            "source": "simulated",
            "month": "2019-04",
            "history": ["2019-03"],
            "asked": 0,
            "seed": 0,
            "city_api": "",
            "replace_source": False,
            "drill": False,
            "retrain": {"wanted": True, "reason": need.reason, "number": number},
        }
        done = subprocess.run(
            [
                *(MAGE_PYTHON, ROOT / "tests" / "orchestration" / "killed_retraining.py"),
                json.dumps(decided),
            ],
            env=mage_environment(settings, database),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4_000:]
        seen = json.loads(done.stdout.splitlines()[-1])
        [queued] = seen["later"]
        assert seen["told"] == str(queued) == retrainings.run_of(settings, number)
