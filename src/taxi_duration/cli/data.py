"""`taxi city-api`: a stand-in for the City's API."""

from pathlib import Path

import click


@click.command("city-api")
@click.option("--host", help="Address to listen on.  [TAXI_HOST]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port; 0: a free one.  [TAXI_CITY_API_PORT]"
)
@click.option(
    "--trips",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Serve the trips of this Parquet or CSV file (again for more) and simulate none.",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(0), help="Seed of the simulated city.  [TAXI_SEED]")
@click.option(
    "--fail",
    "failing",
    multiple=True,
    metavar="KIND[:COUNT|:SHARE]",
    help="Fail on purpose: 429, 500, slow or cut; the first COUNT requests (429:3) or a SHARE of"
    " all (cut:0.1).",
)
@click.option(
    "--slow-seconds", default=10.0, show_default=True, help="How long `--fail slow` waits."
)
def city_api(
    host: str | None,
    port: int | None,
    paths: tuple[Path, ...],
    more: tuple[Path, ...],
    seed: int | None,
    failing: tuple[str, ...],
    slow_seconds: float,
) -> None:
    """Serve a stand-in for the City's API: simulated trips, or real ones from files.

    Files may follow `--trips` one after another: `taxi city-api --trips a.parquet b.csv`.
    """
    from taxi_duration.settings import load_settings
    from taxi_duration.simulation.app import create_app
    from taxi_duration.simulation.city import SimulatedCity
    from taxi_duration.simulation.failures import Failure
    from taxi_duration.simulation.files import TripFiles
    from taxi_duration.simulation.server import listen

    if more and not paths:
        raise click.UsageError(f"{more[0]}: files are given after --trips.")
    settings = load_settings()
    failures = [Failure.parse(text) for text in failing]
    source = (
        TripFiles([*paths, *more])
        if paths
        else SimulatedCity(
            settings.seed if seed is None else seed, settings.simulated_trips_per_day
        )
    )
    app = create_app(source, failures, slow_seconds)
    server = listen(app, host or settings.host, settings.city_api_port if port is None else port)
    click.echo(f"Serving {source} on http://{server.host}:{server.port}")
    server.serve_forever()
