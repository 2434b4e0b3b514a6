"""The HTTP service that says how long a Chicago taxi trip will take."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duration_service.app import close_app, create_app

__all__ = ["close_app", "create_app"]


def __getattr__(name: str) -> Any:
    """Import the application where it is asked for.

    gunicorn's first process imports `duration_service.worker`, and of what an application needs
    only what starts no thread (web-service/gunicorn.conf.py): none lives through a fork.
    """
    if name in __all__:
        return getattr(import_module("duration_service.app"), name)
    raise AttributeError(name)
