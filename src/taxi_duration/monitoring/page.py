"""The head of a report's page: which month, against which, scored by which model."""

from html import escape
from typing import Final

from taxi_duration.monitoring.figures import CURRENT, FLOOR, REFERENCE, Figures

_STYLE: Final = (
    "background:#1f3a5f;color:#fff;padding:1rem 1.5rem;font-family:system-ui,sans-serif;"
    "line-height:1.5"
)


def with_head(page: str, figures: Figures) -> str:
    """Evidently's page with a title and a line for each thing that was compared."""
    return titled(page, f"Taxi drift {figures.month} ({figures.source})", _lines(figures))


def titled(page: str, title: str, told: list[str]) -> str:
    """Evidently's page with a title and lines of plain text above it."""
    title, lines = escape(title), "<br>".join(map(escape, told))
    header = f'<header style="{_STYLE}"><strong>{title}</strong><br>{lines}</header>'
    page = page.replace("<head>", f"<head>\n        <title>{title}</title>", 1)
    return page.replace("<body>", f"<body>\n    {header}", 1)


def _lines(figures: Figures) -> list[str]:
    now, before = figures.performance[CURRENT], figures.performance[REFERENCE]
    sampled = figures.sampled_trips
    return [
        f"Current: {figures.month}, {now.trips:,} trips. Reference:"
        f" {', '.join(figures.reference_months)}, {before.trips:,} trips."
        f" Source of both: {figures.source}.",
        f"Predicted by {_model(figures.model_version)}: mean absolute error {now.mae:.2f} minutes,"
        f" {before.mae:.2f} on the reference, which it was fitted on.",
        f"Drifted columns: {', '.join(figures.drifted_columns) or 'none'}. What follows is of a"
        f" sample: {sampled[CURRENT]:,} current and {sampled[REFERENCE]:,} reference trips.",
    ]


def _model(version: str) -> str:
    if version == FLOOR:
        return "the floor table of the reference months, as there was no model of this source yet"
    return f"model version {version}"
