"""Brings Mage's queue into two states in which Mage alone loses a job.

Started by the tests with the Python of Mage's environment: `waiting_job.py FILE`. Prints a line for
each state: whether Mage alone gets out of it, and whether it does with what `serve` adds.
"""

# mypy: ignore-errors
# Mage is not in the environment that is checked.

import sys
import time
from multiprocessing import Process
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


def overlooked_job_is_done(path: Path) -> None:
    queue = overlooked(path)
    alone = is_done(queue, path, 3)
    serve.start_waiting_jobs()
    mended = is_done(queue, path, 60)
    queue.worker_pool_proc.join(10)
    print(f"overlooked: Mage alone {alone}, serve {mended}")


def taken_job_is_known() -> None:
    """A process of the pool has taken the job, and has not yet said that it has it."""
    queue = ProcessQueue(QueueConfig(concurrency=1))
    queue.start()
    queue.job_dict["job"] = JobStatus.QUEUED
    queue.worker_pool_proc = Process(target=time.sleep, args=[600])
    queue.worker_pool_proc.start()
    alone = queue.has_job("job")
    serve.keep_taken_jobs()
    queue.clean_up_jobs()
    mended = queue.has_job("job")
    queue.worker_pool_proc.kill()
    queue.worker_pool_proc.join()
    lost = not queue.has_job("job")
    print(f"taken: Mage alone {alone}, serve {mended}, lost without its process {lost}")


overlooked_job_is_done(Path(sys.argv[1]))
taken_job_is_known()
