"""`taxi drill`: a trial of whether the loop notices a change and does the right thing."""

import click

KINDS = ("pace", "demand", "schema", "missing")


@click.command()
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    required=True,
    help="What changes: rides take longer, another mix of areas, a renamed column, areas missing.",
)
@click.option(
    "--cap",
    type=click.IntRange(min=3_000),
    default=12_000,
    show_default=True,
    help="Most trips of a month.",
)
def drill(kind: str, cap: int) -> None:
    """Send changed months through the running stack and see what follows; nothing real changes."""
    from taxi_duration.pipeline.drill import TOLD, run_drill
    from taxi_duration.settings import load_settings

    run_drill(load_settings(), next(each for each in TOLD if each == kind), cap, click.echo)
