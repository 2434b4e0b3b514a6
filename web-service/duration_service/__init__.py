"""The HTTP service that says how long a Chicago taxi trip will take."""

from duration_service.app import create_app

__all__ = ["create_app"]
