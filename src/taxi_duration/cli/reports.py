"""`taxi reports`: the drift reports in S3, with links."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from taxi_duration.settings import load_settings

if TYPE_CHECKING:
    from taxi_duration.monitoring.reports import DriftReport

# Wide enough for every link in one piece where the output is not a terminal.
PIPED_WIDTH = 320


@click.command()
@click.argument("month", default="")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@click.option(
    "--save",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Fetch the pages into this folder.",
)
def reports(month: str, as_json: bool, folder: Path | None) -> None:
    """List the drift reports (of MONTH, such as 2019-03) with links, or fetch them."""
    from taxi_duration.monitoring.reports import list_reports, save
    from taxi_duration.trips.months import Month

    settings = load_settings()
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


def _show(found: "list[DriftReport]") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    table = Table("source", "month", "compared with", "model", "drifted", "error", box=None)
    table.add_column("page in MLflow, and in S3", overflow="fold")
    for report in found:
        table.add_row(*_cells(report))
    console.print(table)


def _cells(report: "DriftReport") -> list[Any]:
    from rich.text import Text

    figures = report.figures
    page = Text(report.url, style=f"link {report.url}") if report.url else Text()
    return [
        figures.source,
        figures.month,
        ", ".join(figures.reference_months),
        figures.model_version,
        f"{len(figures.drifted_columns)} of {len(figures.drift)}",
        f"{figures.performance['current'].mae:.2f} min",
        page.append(f"\n{report.html}"),
    ]
