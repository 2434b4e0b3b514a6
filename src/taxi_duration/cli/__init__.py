"""The `taxi` command."""

import importlib
import logging
from types import MappingProxyType
from typing import Any, Final

import click

from taxi_duration.errors import TaxiError

# Command -> module of this package and name in it. A command's module is imported when it is used.
COMMANDS: Final = MappingProxyType(
    {
        "up": "stack:up",
        "down": "stack:down",
        "status": "stack:status",
        "provision": "containers:provision",
        "first-run": "containers:first_run",
        "run": "pipeline:run",
        "backfill": "pipeline:backfill",
        "live": "live:live",
        "retrain": "retrain:retrain",
        "model": "model:model",
        "deploy": "deploy:deploy",
        "drill": "drill:drill",
        "evaluate": "evaluate:evaluate",
        "reports": "reports:reports",
        "city-api": "data:city_api",
        "settings": "settings:settings",
    }
)


class _Taxi(click.Group):
    """Finds its commands in the table, and tells a TaxiError without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  click gives it
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TaxiError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Taxi)
@click.version_option(package_name="taxi-duration")
def main() -> None:
    """How long will this Chicago taxi trip take? The service, and the loop that keeps it."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    # It warns of every attempt; the error of the last one says what is wrong, and what to do.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
