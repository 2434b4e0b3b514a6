"""`taxi evaluate`: how good the default model is on trips from files."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from rich.table import Table

    from taxi_duration.model.evaluation import Evaluation

_MANY = ("--trips", "--test")
_PATHS = click.Path(path_type=Path)


class _ManyPaths(click.Command):
    """Lets several paths follow an option: `--trips a.parquet b.csv`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _repeated(args))


@click.command(cls=_ManyPaths)
@click.option(
    "--trips",
    "paths",
    multiple=True,
    required=True,
    type=_PATHS,
    metavar="PATH…",
    help="Parquet or CSV files with the City's column names to fit the model on.",
)
@click.option(
    "--test",
    "test_paths",
    multiple=True,
    type=_PATHS,
    metavar="PATH…",
    help="Files to test it on; without, the later part of the others.",
)
@click.option(
    "--split",
    metavar="TIME",
    help="Fit on trips that start before this (2019-01-09 or 2019-01-09T12:00), test on the"
    " others; without, and without --test, the last fifth of the time is for the test.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    paths: tuple[Path, ...], test_paths: tuple[Path, ...], split: str | None, as_json: bool
) -> None:
    """Fit the default model and its baselines on trips from files, and test them on later ones.

    It needs no running stack.
    """
    moment = _moment(split)

    from taxi_duration.model import evaluation
    from taxi_duration.settings import load_settings
    from taxi_duration.trips.files import read_trips

    settings = load_settings()
    bounds = {"min_minutes": settings.min_minutes, "max_minutes": settings.max_minutes}
    trips = read_trips(paths, **bounds)
    test = read_trips(test_paths, **bounds) if test_paths else None
    divided = evaluation.divide(trips, test, moment)
    found = evaluation.evaluate(divided, seed=settings.seed, **bounds)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _show(found)


def _repeated(args: list[str]) -> list[str]:
    """The arguments with an option before each of the paths that follow it."""
    repeated, option = [], ""
    for word in args:
        if word.startswith("-"):
            option = word if word in _MANY else ""
            if not option:
                repeated.append(word)
        elif option:
            repeated += [option, word]
        else:
            repeated.append(word)
    return repeated


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no time such as 2019-01-09T12:00.", param_hint="--split"
        ) from error
    # The City's times are local to Chicago and carry no zone.
    return moment.replace(tzinfo=None)


def _show(found: "Evaluation") -> None:
    from rich.console import Console

    console = Console()
    console.print(f"{found.train_trips:,} trips to fit, {found.test_trips:,} later ones to test")
    for table in (_predictors(found), _interval(found), _segments(found)):
        console.print()
        console.print(table)


def _predictors(found: "Evaluation") -> "Table":
    table = _table("predictor", "MAE min", "RMSE min", "MAPE", "within 5 min")
    for name, row in found.predictors.items():
        table.add_row(
            name.replace("_", " "),
            f"{row['mae']:.3f}",
            f"{row['rmse']:.3f}",
            f"{row['mape']:.1%}",
            f"{row['within_5']:.1%}",
        )
    return table


def _interval(found: "Evaluation") -> "Table":
    row = found.predictors["model"]
    table = _table("interval", "holds", "width min", "pinball min", "5 min late or more")
    table.add_row(
        "10% to 90%",
        f"{row['coverage_80']:.1%}",
        f"{row['interval_width']:.2f}",
        f"{row['pinball']:.3f}",
        f"{row['late_5']:.1%}",
    )
    return table


def _segments(found: "Evaluation") -> "Table":
    table = _table("segment", "trips", "MAE min", "floor min", "interval holds")
    for part in found.segments:
        table.add_row(
            part.name,
            f"{part.trips:,}",
            f"{part.mae:.3f}",
            f"{part.floor_mae:.3f}",
            f"{part.coverage_80:.1%}",
        )
    return table


def _table(first: str, *others: str) -> "Table":
    from rich.table import Table

    table = Table(first, box=None)
    for name in others:
        table.add_column(name, justify="right")
    return table
