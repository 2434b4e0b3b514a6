"""`taxi run` and `taxi backfill`: runs of the pipeline in Mage."""

from collections.abc import Callable
from typing import Any

import click

from taxi_duration.errors import MageUnreachableError, PipelineError, SettingsError


class MonthType(click.ParamType):
    """A month, written `2019-03`; the same text."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The month in its one spelling."""
        from taxi_duration.trips.months import Month

        try:
            return str(Month.parse(str(value)))
        except SettingsError as error:
            self.fail(str(error), param, ctx)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that both commands have; what is not given takes its setting in Mage."""
    options = (
        click.option("--history", type=click.IntRange(min=1), help="Months before it to train on."),
        click.option("--cap", type=click.IntRange(min=0), help="Most trips of a month; 0: all."),
        click.option("--seed", type=click.IntRange(min=0), help="Seed of every random choice."),
        click.option(
            "--city-api",
            envvar="TAXI_CITY_API",
            show_envvar=True,
            help="Where this run's trips come from: city, simulated, or the URL of a SODA server.",
        ),
        click.option(
            "--replace-source",
            is_flag=True,
            help="Let a model of these trips replace a champion of another source.",
        ),
        click.option(
            "--search-trials",
            type=click.IntRange(min=0),
            help="Search for better parameters with so many trials.",
        ),
        click.option(
            "--search-seconds",
            type=click.FloatRange(min=0),
            help="Search for better parameters with trials of so many seconds in all.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option("--month", type=MonthType(), help="Such as 2019-03; else the latest published.")
@_options
def run(**given: Any) -> None:
    """Load a month, train on the months before it, report on its drift."""
    result = _run(given)
    click.echo(f"{result['seconds']:.0f} s: {summary(result)}")


@click.command()
@click.argument("first", type=MonthType())
@click.argument("last", type=MonthType())
@_options
def backfill(first: str, last: str, **given: Any) -> None:
    """Run the pipeline for each month from FIRST to LAST, one after the other."""
    from taxi_duration.trips.months import Month

    months = [str(month) for month in Month.parse(first).to(Month.parse(last))]
    if not months:
        raise click.UsageError(f"{last} is before {first}.")
    endings = {}
    for month in months:
        click.echo(f"{month}:")
        endings[month] = _ending({"month": month, **given})
    click.echo("\n".join(["", *(text for text, _ in endings.values())]))
    if failed := [month for month, (_, fine) in endings.items() if not fine]:
        raise PipelineError(f"{len(failed)} of {len(months)} months failed: {', '.join(failed)}.")


def _ending(given: dict[str, Any]) -> tuple[str, bool]:
    """How the run of one month of several ended: a line, and whether well."""
    try:
        return summary(_run(given)), True
    except MageUnreachableError:
        raise
    except PipelineError as error:
        click.echo(str(error), err=True)
        return f"{given['month']}  {error.cause.splitlines()[0]}", False


def _run(given: dict[str, Any]) -> dict[str, Any]:
    from taxi_duration.pipeline.mage import run_pipeline
    from taxi_duration.settings import load_settings

    return run_pipeline(load_settings(), variables_of(given), click.echo)


def variables_of(given: dict[str, Any]) -> dict[str, Any]:
    """The options that were given: 0 is one, what was left out or is a switch not set is not."""
    return {
        name: value
        for name, value in given.items()
        if value is not None and value is not False and value != ""
    }


def summary(result: dict[str, Any]) -> str:
    """Such as `2019-03 (files): 5,912 trips; drift in 12% of columns; model version 3, …`."""
    trips = result["trips"][result["month"]]
    drift = f"drift in {result['drifted_share']:.0%} of columns"
    model = "too few trips to train on"
    if "version" in result:
        champion = result["champion"] or "none"
        model = f"model version {result['version']}, champion {champion}: {result['reason']}"
    return f"{result['month']} ({result['source']}): {trips:,} trips; {drift}; {model}"
