"""How gunicorn runs the service.

`gunicorn -c web-service/gunicorn.conf.py 'duration_service:create_app()'`
"""

import gc
import logging
import os
import resource
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from taxi_duration.model.lean import import_lightgbm
from taxi_duration.settings import load_settings

settings = load_settings()
# Where the processes share their metrics. prometheus_client reads it when it is imported, which
# is after this. One folder a port, as two services may share a home.
metrics = settings.metrics_folder or (
    settings.home / "service" / "metrics" / str(settings.service_port)
)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)

# What takes longest to import, all workers have from this process: they start in no time, and
# share its memory. It stays without threads, which do not live through a fork: numpy's library for
# matrices, of which the service multiplies none, would start one a core.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import_lightgbm()
for module in ("taxi_duration.registry.champion", "taxi_duration.contract", "flask"):
    import_module(module)

ipv6 = ":" in settings.host
host = f"[{settings.host}]" if ipv6 else settings.host
bind = f"{host}:{settings.service_port}"
workers = settings.service_workers
# Threads see requests that came whole; the booster runs outside the interpreter's lock.
worker_class = "duration_service.worker.Worker"
threads = 4
# The page's files go the way of all answers: what the network does not take at once is kept.
sendfile = False
# Slow and idle callers cost a file each and nothing else.
worker_connections = 1000
# Each worker makes its own application: the thread that watches for champions does not live
# through a fork, and an OpenMP runtime that is forked can hang.
preload_app = False

# Nobody in front says by a header at which path a request comes: it would be another one than the
# worker reads. By default gunicorn believes it of whoever comes from this machine.
forwarder_headers = ""

# Longer than the slowest honest request: 10,000 trips take well under a second.
timeout = 30
graceful_timeout = 30
keepalive = 5

# A worker says by a file's time that it lives, each time round its loop. On a disk it would wait
# there, and all requests with it, while the disk writes what others left.
memory = "/dev/shm"  # noqa: S108  the file has no name
worker_tmp_dir = memory if os.access(memory, os.W_OK) else None

loglevel = settings.log_level
accesslog = None
control_socket_disable = True

logging.basicConfig(
    level=settings.log_level.upper(),
    format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s",
)
# It would tell of every look at the registry.
logging.getLogger("httpx").setLevel(logging.WARNING)


def worker_exit(_server: Any, worker: Any) -> None:
    """Write what the worker still holds of its log; one that did not come up holds none."""
    from duration_service import close_app  # noqa: PLC0415  after the fork only

    if app := getattr(worker, "wsgi", None):
        close_app(app)


def forget_metrics() -> None:
    """Remove prometheus_client's files; the folder may be a mount, or hold other people's."""
    for file in metrics.glob("*.db"):
        file.unlink()


def another_serves() -> bool:
    """Whether the port is another gunicorn's by now, and with it the metrics."""
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.service_port), family=family).close()
    except OSError:
        return True
    return False


def on_exit(_server: Any) -> None:
    """Leave no metrics behind: their folder may lie in the machine's memory."""
    if another_serves():
        return
    forget_metrics()
    with suppress(OSError):  # a mount, or not empty
        metrics.rmdir()


def on_starting(_server: Any) -> None:
    """Begin with files enough for all connections."""
    # Now, and not when a worker has just ended: the service would stop more slowly.
    import_module("prometheus_client.multiprocess")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * worker_connections
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def when_ready(server: Any) -> None:
    """Begin with empty metrics: the port is this service's now, and with it what lies there.

    After SIGUSR2 it is still another one's as well, whose counts go on.
    """
    metrics.mkdir(parents=True, exist_ok=True)
    if not server.master_pid:
        forget_metrics()


def post_fork(_server: Any, _worker: Any) -> None:
    """See to it that the metrics have a folder; without it no process would start."""
    metrics.mkdir(parents=True, exist_ok=True)


def child_exit(_server: Any, worker: Any) -> None:
    """Let a worker that ended count no longer in what is so now; what it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    from duration_service.balance import COUNTS  # noqa: PLC0415

    COUNTS.leave(worker.age)
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def post_worker_init(_worker: Any) -> None:
    """Keep the collector of garbage from the path of the requests.

    Going through all that lives as long as the process takes as long as a hundred requests. What a
    request makes lives until it is counted and logged, soon after, and has no cycles: looked at as
    often as Python does by itself, it costs an eighth of the processor's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    # A thread that counts or logs holds requests up for as long, 5 ms unless told.
    sys.setswitchinterval(0.0005)
