"""The HTTP service that says how long a Chicago taxi trip will take."""

from duration_service.app import close_app, create_app

__all__ = ["close_app", "create_app"]
