"""`taxi provision`, `taxi first-run`: what containers and AWS need once, and may do again."""

import os

import click

from taxi_duration.settings import load_settings


@click.command()
def provision() -> None:
    """Make the roles, databases, tables and the bucket that Postgres and S3 lack."""
    from taxi_duration.stack.provision import provision

    provision(load_settings(), os.environ, click.echo)


@click.command("first-run")
def first_run() -> None:
    """Run the pipeline once where there is no model yet, and wait for its end."""
    from taxi_duration.stack.first_run import first_champion
    from taxi_duration.stack.source import SIMULATED, decide_source

    settings = load_settings()
    if decide_source(settings).city_api == "simulated":
        click.echo(SIMULATED)
    model = first_champion(settings, click.echo)
    click.echo(f"{model.name} version {model.version} serves, source={model.source}.")
