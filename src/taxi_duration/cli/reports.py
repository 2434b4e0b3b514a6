"""`taxi reports`: the drift reports in S3, with links."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from taxi_duration.settings import load_settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from taxi_duration.monitoring.live_reports import LiveReport
    from taxi_duration.monitoring.reports import DriftReport

# Wide enough for every link in one piece where the output is not a terminal.
PIPED_WIDTH = 320


@click.command()
@click.argument("month", default="")
@click.option("--live", is_flag=True, help="Those of the latest windows of live traffic instead.")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@click.option(
    "--save",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Fetch the pages into this folder.",
)
def reports(month: str, live: bool, as_json: bool, folder: Path | None) -> None:
    """List the drift reports (of MONTH, such as 2019-03) with links, or fetch them."""
    from taxi_duration.monitoring.live_reports import list_live, save_live
    from taxi_duration.monitoring.reports import list_reports, save
    from taxi_duration.trips.months import Month

    settings = load_settings()
    if live:
        if month:
            raise click.UsageError("A window is of no month: leave MONTH out, or --live.")
        windows = list_live(settings)
        saved = [save_live(settings, each, folder) for each in windows] if folder else []
        _tell_live(windows, as_json, saved)
        return
    wanted = str(Month.parse(month)) if month else ""
    found = [r for r in list_reports(settings) if wanted in ("", r.figures.month)]
    if folder is not None:
        for report in found:
            click.echo(save(settings, report, folder), err=as_json)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif not found:
        click.echo(f"No reports{f' of {wanted}' if wanted else ''} yet: `taxi run` makes one.")
    elif folder is None:
        _show(found)


def _tell_live(found: "list[LiveReport]", as_json: bool, saved: list[Path]) -> None:
    for path in saved:
        click.echo(path, err=as_json)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif not found:
        click.echo("No window was compared yet: `taxi live` compares one.")
    elif not saved:
        _show_live(found)


def _show_live(found: "list[LiveReport]") -> None:
    from rich.table import Table

    table = Table("window (UTC)", "predictions", "model", "drifted", box=None)
    table.add_column("page in MLflow where it drifted, and in S3", overflow="fold")
    for report in found:
        figures = report.figures
        drifted = f"{len(figures.drifted_columns)} of {len(figures.drift)}"
        start, end = figures.window.start, figures.window.end
        until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
        table.add_row(
            *(f"{start:%Y-%m-%d %H:%M} to {until}", f"{figures.predictions:,}"),
            *(figures.model_version or "", drifted, _page(report.url, report.html)),
        )
    _console().print(table)


def _show(found: "list[DriftReport]") -> None:
    from rich.table import Table

    table = Table("source", "month", "compared with", "model", "drifted", "error", box=None)
    table.add_column("page in MLflow, and in S3", overflow="fold")
    for report in found:
        table.add_row(*_cells(report))
    _console().print(table)


def _console() -> "Console":
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=PIPED_WIDTH)


def _page(url: str, html: str) -> "Text":
    from rich.text import Text

    page = Text(f"{url}\n", style=f"link {url}") if url else Text()
    return page.append(html)


def _cells(report: "DriftReport") -> list[Any]:
    figures = report.figures
    return [
        figures.source,
        figures.month,
        ", ".join(figures.reference_months),
        figures.model_version,
        f"{len(figures.drifted_columns)} of {len(figures.drift)}",
        f"{figures.performance['current'].mae:.2f} min",
        _page(report.url, report.html),
    ]
