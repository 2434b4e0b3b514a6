"""`taxi model`: the versions of the model, which of them serves, and who changed that."""

import getpass
import json
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from taxi_duration.errors import NoModelError
from taxi_duration.settings import Settings, load_settings

if TYPE_CHECKING:
    from taxi_duration.monitoring.model_history import Period
    from taxi_duration.registry.versions import Version

# Wide enough for every reason in one piece where the output is not a terminal.
PIPED_WIDTH = 320

_json_option = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
_REASON = "Why, for the history."


@click.group()
def model() -> None:
    """Show the versions of the model, promote one, or roll back."""


@model.command("list")
@_json_option
def list_versions(as_json: bool) -> None:
    """List all versions, the latest first."""
    from taxi_duration.registry.versions import versions

    found = versions(load_settings())
    if as_json:
        _print_json(found)
    elif not found:
        click.echo("No version yet: `taxi run` trains one.")
    else:
        head = ("version", "alias", "source", "trained on", "MAE", "registered", "gate")
        _table(head, [_version_cells(each) for each in found])


@model.command()
@click.argument("number", metavar="[VERSION]", default="")
@_json_option
def show(number: str, as_json: bool) -> None:
    """Show one version with its figures and the gate's decision; the champion, if none is named."""
    found = _found(load_settings(), number)
    if as_json:
        _print_json(found)
        return
    for name, value in _facts(found):
        click.echo(f"{name:<20} {value}")


@model.command()
@click.argument("number", metavar="VERSION")
@click.option("--reason", required=True, help=_REASON)
@click.option(
    "--replace-source", is_flag=True, help="Even if the champion's trips have another source."
)
def promote(number: str, reason: str, replace_source: bool) -> None:
    """Let a version serve, whatever the gate said."""
    from taxi_duration.pipeline.promotion import promote as promote_version

    serving = promote_version(
        load_settings(), number, _person(), reason, replace_source=replace_source
    )
    click.echo(f"Version {serving.version} serves.")


@model.command()
@click.option("--reason", default="No reason given.", show_default=True, help=_REASON)
def rollback(reason: str) -> None:
    """Put the former champion back; again, and the one before that."""
    from taxi_duration.pipeline.promotion import rollback as roll_back

    click.echo(f"Version {roll_back(load_settings(), _person(), reason).version} serves again.")


@model.command()
@click.option("--all", "every", is_flag=True, help="The changes of `challenger` as well.")
@click.option("--at", type=click.DateTime(), help="Only what held at this moment, UTC.")
@_json_option
def history(every: bool, at: datetime | None, as_json: bool) -> None:
    """Tell which version served when, who or what changed it, and why."""
    from taxi_duration.pipeline.promotion import history as tell
    from taxi_duration.registry.champion import ALIAS

    found = tell(load_settings(), "" if every else ALIAS)
    if at:
        found = [each for each in found if each.held_at(at)]
    if as_json:
        _print_json(found)
    elif not found:
        click.echo("No version has served" + (" then." if at else " yet: `taxi run` trains one."))
    else:
        head = ("from", "to (UTC)", "alias", "version", "instead of", "action", "by", "why")
        _table(head, [_period_cells(each) for each in found])


def _found(settings: Settings, number: str) -> "Version":
    from taxi_duration.registry.champion import ALIAS
    from taxi_duration.registry.versions import versions

    for each in versions(settings):
        if each.version == number or (not number and ALIAS in each.aliases):
            return each
    if not number:
        raise NoModelError("No version serves.", "`taxi model list` shows what there is.")
    raise NoModelError(f"There is no version {number}.", "`taxi model list` shows what there is.")


def _person() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _facts(found: "Version") -> list[tuple[str, str]]:
    return [
        ("version", found.version),
        ("aliases", ", ".join(found.aliases) or "none"),
        ("source", found.source),
        ("trained on", ", ".join(found.months)),
        ("registered", _time(found.created_at)),
        ("run", found.run_id),
        *((name, f"{value:.3f}") for name, value in sorted(found.metrics.items())),
        ("gate", found.decision or "not asked"),
        ("why", found.reason),
        *((f"gate: {name}", value) for name, value in sorted(found.gate.items())),
    ]


def _version_cells(found: "Version") -> list[str]:
    return [
        found.version,
        ", ".join(found.aliases),
        found.source,
        ", ".join(found.months),
        f"{found.metrics['mae']:.3f} min" if "mae" in found.metrics else "",
        _time(found.created_at),
        f"{found.decision}: {found.reason}" if found.decision else "",
    ]


def _period_cells(period: "Period") -> list[str]:
    return [
        _time(period.since),
        _time(period.until) if period.until else "now",
        period.alias,
        period.version or "none",
        period.former or "none",
        period.action,
        period.by,
        period.reason,
    ]


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _print_json(found: Any) -> None:
    import msgspec

    click.echo(json.dumps(msgspec.to_builtins(found), indent=2))


def _table(head: tuple[str, ...], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    table = Table(*head, box=None)
    for row in rows:
        # As text: what stands in brackets is no markup.
        table.add_row(*map(Text, row))
    console.print(table)
