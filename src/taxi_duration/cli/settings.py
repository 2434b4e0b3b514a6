"""`taxi settings`: every setting, as its table declares it."""

import click

from taxi_duration.settings import PREFIX, Settings


def markdown() -> str:
    """The settings as a Markdown table: name, type, default, meaning."""
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines)


@click.command()
def settings() -> None:
    """List every setting with its default and meaning."""
    click.echo(markdown())
