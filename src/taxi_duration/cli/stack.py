"""`taxi up`, `taxi down`, `taxi status`: the embedded stack."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from taxi_duration.errors import TaxiError
from taxi_duration.settings import load_settings

if TYPE_CHECKING:
    from taxi_duration.stack.stack import Stack

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NO_MODEL: Final = {"version": None, "source": None}


@click.command()
@click.option(
    "--stay",
    is_flag=True,
    help="Train a first model if there is none; stay until Ctrl-C, then end everything.",
)
@click.pass_context
def up(context: click.Context, *, stay: bool) -> None:
    """Start Postgres, S3, MLflow, Mage and the service, and wait until all are healthy."""
    with _interruptible():
        try:
            stack = _bring_up()
        except KeyboardInterrupt:
            click.echo("Interrupted: what was started has been ended.")
            context.exit(130)
        if not stay:
            context.exit(0 if _tell(stack, train=False) else 1)
        context.exit(0 if _stay(stack) else 1)


@click.command()
@click.option("--remove", is_flag=True, help="Remove all data, models, keys and logs as well.")
def down(*, remove: bool) -> None:
    """End every process of the stack; the data stays."""
    stack = _stack()
    if remove:
        stack.remove()
        click.echo(f"Nothing runs any more, and {stack.home} is removed.")
    else:
        stack.down()
        click.echo(f"Nothing runs any more. The data stays in {stack.home}.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Show the state of each part; exit with 0 where all are healthy, else with 1."""
    from taxi_duration.stack.first_run import served_model

    stack = _stack()
    services = stack.status()
    served = served_model(stack.settings) if services["service"]["pid"] else {}
    model = {key: served.get(key) for key in _NO_MODEL}
    if as_json:
        click.echo(json.dumps({"services": services, "model": model}))
    else:
        for name, part in services.items():
            click.echo(f"{name:<10} {part['state']:<12} {part['pid'] or '-':<8} {part['url']}")
        click.echo(f"model      {model['version'] or 'none'}  source={model['source'] or '-'}")
    context.exit(any(part["state"] != "healthy" for part in services.values()))


def _stack() -> "Stack":
    from taxi_duration.stack.stack import Stack

    return Stack(load_settings(), show=click.echo)


def _bring_up() -> "Stack":
    from taxi_duration.stack.source import SIMULATED, decide_source
    from taxi_duration.stack.stack import Stack

    began = time.monotonic()
    stack = _stack()
    if not stack.supervisor.alive():
        stack = Stack(decide_source(load_settings()), show=click.echo)
    if stack.settings.city_api == "simulated":
        click.echo(SIMULATED)
    if stack.up():
        click.echo(f"All parts are up after {time.monotonic() - began:.1f} s.")
    else:
        click.echo("All parts were up already. Changed settings count after `taxi down`.")
    return stack


def _tell(stack: "Stack", *, train: bool) -> bool:
    """Print the summary, with a first model where it shall be trained; False where that failed."""
    from taxi_duration.stack.first_run import model_that_answers, summary, train_first_model

    fine = True
    try:
        model = model_that_answers(stack.settings)
        if train and not model:
            model = train_first_model(stack.settings, click.echo)
    except TaxiError as error:
        click.echo(f"Error: {error}", err=True)
        fine, model = False, {}
    click.echo("")
    for line in summary(stack.settings, model):
        click.echo(line)
    return fine


def _stay(stack: "Stack") -> bool:
    """Keep the stack up until it is interrupted or taken down from elsewhere, then end it."""
    fine = False
    try:
        fine = _tell(stack, train=True)
        click.echo("\nCtrl-C ends everything; `taxi status` in another terminal shows how it is.")
        while stack.wanted():
            stack.heal()
            time.sleep(1)
        click.echo("The stack was taken down by another command.")
    except KeyboardInterrupt:
        click.echo("\nEnding all parts …")
        stack.down()
        click.echo("Nothing runs any more.")
    except BaseException:
        stack.down()
        raise
    return fine


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the first signal to end raise KeyboardInterrupt; later ones must not stop the ending."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for ending in _ENDING:
            signal.signal(ending, signal.SIG_IGN)
        raise KeyboardInterrupt

    # `nohup` has SIGHUP ignored, and means it.
    heeded = [s for s in _ENDING if s != signal.SIGHUP or signal.getsignal(s) != signal.SIG_IGN]
    former = {ending: signal.signal(ending, interrupt) for ending in heeded}
    try:
        yield
    finally:
        for ending, handler in former.items():
            signal.signal(ending, handler)
