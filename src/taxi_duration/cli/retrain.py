"""`taxi retrain`: an earlier run's model, trained again and compared."""

import time
from typing import TYPE_CHECKING

import click

from taxi_duration.errors import ReproductionError

if TYPE_CHECKING:
    from taxi_duration.pipeline.retraining import FileComparison, Retrained


@click.command()
@click.option(
    "--run",
    "run_id",
    required=True,
    help="Run in MLflow: of the pipeline, of its candidate lightgbm, or of a model's version.",
)
def retrain(run_id: str) -> None:
    """Train the model of an earlier run again, from the trips of that time; fail if it differs."""
    from taxi_duration.pipeline.retraining import retrain as train_again
    from taxi_duration.settings import load_settings

    started = time.monotonic()
    result = train_again(load_settings(), run_id)
    click.echo(_origin(result))
    for file in result.files:
        click.echo(_line(file))
    for told in [*result.facts, *(f"changed since: {change}" for change in result.changes)]:
        click.echo(told)
    if not result.same:
        raise ReproductionError(
            f"The model of run {result.run.run_id}, trained again, is another one:"
            f" {', '.join(_differing(result))}.",
            _likely_cause(result),
        )
    seconds = time.monotonic() - started
    click.echo(f"The model trained again is the same, bit by bit ({seconds:.0f} s).")


def _origin(result: "Retrained") -> str:
    info = result.run.info
    trips = info.train_trips + info.calibration_trips
    return (
        f"Run {result.run.run_id}: {trips:,} trips of {', '.join(info.months)} ({info.source}),"
        f" version {info.lake_version} of {info.lake_uri}, seed {info.seed}"
    )


def _line(file: "FileComparison") -> str:
    if file.same:
        return f"{file.name:<15} {file.stored}  same"
    return (
        f"{file.name:<15} {file.stored or 'missing':<64}  stored\n"
        f"{'':<15} {file.again or 'missing':<64}  trained again; differs from line {file.line}"
    )


def _differing(result: "Retrained") -> list[str]:
    facts = [fact.partition(":")[0] for fact in result.facts]
    return [*(file.name for file in result.files if not file.same), *facts]


def _likely_cause(result: "Retrained") -> str:
    if result.changes:
        return "What changed since is named above; with the versions of that time it should agree."
    return "Nothing of features, libraries and code changed since: its files or its trips did."
