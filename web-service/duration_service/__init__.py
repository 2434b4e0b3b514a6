"""The HTTP service that says how long a Chicago taxi trip will take."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duration_service.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Import the application where it is asked for.

    gunicorn's first process imports `duration_service.worker` only, and keeps out the model's
    libraries: they start threads, which do not live through a fork.
    """
    if name == "create_app":
        from duration_service.app import create_app  # noqa: PLC0415

        return create_app
    raise AttributeError(name)
