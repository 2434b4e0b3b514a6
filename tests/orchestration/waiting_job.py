"""Puts a job into Mage's queue as it is after Mage's pool of processes has overlooked it.

Started by the tests with the Python of Mage's environment: `waiting_job.py FILE`. The job writes
FILE. Prints whether Mage's own look at the queue started it, and whether that of `serve` did.
"""

# mypy: ignore-errors
# Mage is not in the environment that is checked.

import sys
import time
from pathlib import Path

ORCHESTRATION = Path(__file__).resolve().parents[2] / "orchestration"
sys.path.insert(0, str(ORCHESTRATION))

import serve  # noqa: E402
from mage_ai.settings.repo import set_repo_path  # noqa: E402

set_repo_path(str(ORCHESTRATION / "taxi_duration"))

from mage_ai.orchestration.queue.config import QueueConfig  # noqa: E402
from mage_ai.orchestration.queue.process_queue import JobStatus, ProcessQueue  # noqa: E402


def overlooked(path: Path) -> ProcessQueue:
    """A queue whose job has come through, and whose pool ended before that."""
    queue = ProcessQueue(QueueConfig(concurrency=1))
    queue.start()
    queue.queue.put(["job", path.write_text, ("done",), {}])
    queue.job_dict["job"] = JobStatus.QUEUED
    while queue.queue.empty():
        time.sleep(0.01)
    return queue


def is_done(queue: ProcessQueue, path: Path, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < until:
        queue.clean_up_jobs()
        time.sleep(0.2)
    return path.exists()


def main(path: Path) -> None:
    queue = overlooked(path)
    alone = is_done(queue, path, 3)
    serve.start_waiting_jobs()
    mended = is_done(queue, path, 60)
    queue.worker_pool_proc.join(10)
    print(f"Mage alone: {alone}, serve: {mended}")


main(Path(sys.argv[1]))
