"""How gunicorn runs the service.

`gunicorn -c web-service/gunicorn.conf.py 'duration_service:create_app()'`
"""

import logging
from typing import Any

from taxi_duration.settings import load_settings

settings = load_settings()

bind = f"{settings.host}:{settings.service_port}"
workers = settings.service_workers
# An idle connection holds no worker; the booster runs outside the interpreter's lock.
worker_class = "gthread"
threads = 4
# Each worker makes its own application: the thread that watches for champions does not live
# through a fork, and an OpenMP runtime that is forked can hang.
preload_app = False

# Longer than the slowest honest request: 10,000 trips take well under a second.
timeout = 30
graceful_timeout = 30
keepalive = 5

loglevel = settings.log_level
accesslog = None
control_socket_disable = True

logging.basicConfig(
    level=settings.log_level.upper(),
    format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s",
)
# An outage of the registry is logged once where it begins; urllib3 would repeat it at every look.
logging.getLogger("urllib3").setLevel(logging.ERROR)


def worker_exit(_server: Any, worker: Any) -> None:
    """Write what the worker still holds of its log; one that did not come up holds none."""
    from duration_service import close_app  # noqa: PLC0415  after the fork only

    if app := getattr(worker, "wsgi", None):
        close_app(app)
