"""`taxi evaluate`: how good the default model is on trips from files."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from rich.table import Table

    from taxi_duration.model.evaluation import Evaluation, Trips

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
    _warn_of_overlap(divided)
    found = evaluation.evaluate(divided, seed=settings.seed, **bounds)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _show(found)


def _repeated(args: list[str]) -> list[str]:
    """The arguments with an option before each of the paths that follow it.

    Raises UsageError for such an option without a path.
    """
    repeated: list[str] = []
    option, lacking = "", False
    for word in args:
        if word.startswith("-"):
            _check_given(option, lacking)
            name, _, path = word.partition("=")
            option = name if name in _MANY else ""
            lacking = bool(option) and not path
            if not lacking:
                repeated += [option, path] if option else [word]
        else:
            repeated += [option, word] if option else [word]
            lacking = False
    _check_given(option, lacking)
    return repeated


def _check_given(option: str, lacking: bool) -> None:
    if lacking:
        raise click.UsageError(f"Option {option!r} needs at least one path: {option} PATH…")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no time such as 2019-01-09T12:00.", param_hint="--split"
        ) from error
    if moment.tzinfo:
        raise click.BadParameter(
            f"{text!r} has a zone. The City's times are local to Chicago and carry none: give such"
            " a time, as 2019-01-09T12:00.",
            param_hint="--split",
        )
    return moment


def _warn_of_overlap(divided: "Trips") -> None:
    begins, ends = divided.test_begins, divided.train_ends
    if begins < ends:
        click.echo(
            f"Warning: the test begins at {begins}, before the last trip of the fit starts, at"
            f" {ends}. The figures may be better than those of trips to come: give --split, or"
            " later trips.",
            err=True,
        )


def _show(found: "Evaluation") -> None:
    from rich.console import Console

    console = Console()
    console.print(f"{found.train_trips:,} trips to fit, {found.test_trips:,} to test")
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
