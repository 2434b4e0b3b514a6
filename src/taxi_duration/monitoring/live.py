"""A window's figures: what its report, its JSON in S3 and its rows in Postgres are made of."""

from datetime import datetime
from typing import Any, Final

import msgspec
import pyarrow as pa
from sqlalchemy import Connection, delete, func, update

from taxi_duration.monitoring.database import upsert
from taxi_duration.monitoring.figures import ColumnDrift
from taxi_duration.monitoring.live_window import Window
from taxi_duration.monitoring.page import titled
from taxi_duration.monitoring.tables import live_columns, live_windows, requests
from taxi_duration.monitoring.usual import LIVE_COLUMNS


class LiveFigures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked in a window; None where nothing was asked, or too little to compare.

    Shares are 0 to 1, latencies milliseconds of requests.
    """

    window: Window
    predictions: int
    answered_requests: int
    # UTC.
    made_at: datetime
    # Share of drifted columns from which a window counts as drifted.
    threshold: float
    # Empty: nothing was compared.
    drift: list[ColumnDrift]
    model_version: str | None = None
    unseen_pairs_share: float | None = None
    missing_areas_share: float | None = None
    reference_missing_share: float | None = None
    reference_trips: int | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    # Answered with 4xx and 5xx; None: no request was counted.
    refused_requests: int | None = None
    failed_requests: int | None = None

    @property
    def drifted_columns(self) -> list[str]:
        """Names of the drifted columns, the furthest first."""
        return [column.column_name for column in self.drift if column.drifted]

    @property
    def drifted_share(self) -> float | None:
        """Drifted columns by all compared, 0 to 1; None: none was compared."""
        return len(self.drifted_columns) / len(self.drift) if self.drift else None

    @property
    def drifted(self) -> bool | None:
        """Whether the window counts as drifted; None: nothing was compared."""
        share = self.drifted_share
        return None if share is None else share >= self.threshold


_OWN: Final = tuple(
    name
    for name in LiveFigures.__struct_fields__
    if name in {column.name for column in live_windows.columns} - {"threshold"}
)


def live_page(page: str, figures: LiveFigures) -> str:
    """Evidently's page with a head that says what was compared."""
    window = figures.window
    lines = [
        f"Current: {figures.predictions:,} predictions from {window.start:%Y-%m-%d %H:%M} to"
        f" {window.end:%Y-%m-%d %H:%M} UTC, most of them by model version"
        f" {figures.model_version}.",
        f"Reference: {figures.reference_trips:,} trips that this version was trained on, of the"
        " same hours of the week.",
        f"Drifted columns: {', '.join(figures.drifted_columns) or 'none'}. Trips of a pair of"
        f" areas never seen: {figures.unseen_pairs_share:.1%}. Trips without an area:"
        f" {figures.missing_areas_share:.1%}, {figures.reference_missing_share:.1%} in the"
        " reference.",
    ]
    return titled(page, f"Live taxi traffic {window.start:%Y-%m-%d %H:%M} UTC", lines)


def record_live(
    connection: Connection, figures: LiveFigures, *, report_uri: str | None, report_url: str | None
) -> int:
    """Write a window in the place of itself, compared before; returns how many rows."""
    key = {"window_start": figures.window.start, "window_end": figures.window.end}
    connection.execute(delete(live_columns).filter_by(**key))
    common = {**key, "reported_at": figures.made_at}
    columns = [{**common, **msgspec.structs.asdict(column)} for column in figures.drift]
    row = {
        **common,
        **{name: getattr(figures, name) for name in _OWN},
        "compared_columns": len(figures.drift) or None,
        "drifted_columns": len(figures.drifted_columns) if figures.drift else None,
        "drifted_share": figures.drifted_share,
        "threshold": figures.threshold if figures.drift else None,
        "drifted": figures.drifted,
        "report_uri": report_uri,
        "report_url": report_url,
    }
    return upsert(connection, live_windows, [row]) + upsert(connection, live_columns, columns)


def delete_old_windows(connection: Connection, days: int) -> None:
    """Delete the windows that began longer ago."""
    limit = func.now() - func.make_interval(0, 0, 0, days)
    for table in (live_columns, live_windows):
        connection.execute(delete(table).where(table.c.window_start < limit))


def delete_old_requests(connection: Connection, days: int) -> None:
    """Delete the counts of requests of minutes that are longer ago."""
    limit = func.now() - func.make_interval(0, 0, 0, days)
    connection.execute(delete(requests).where(requests.c.minute < limit))


def forget_reports(connection: Connection, moment: datetime) -> None:
    """Let no window that began before name a report in S3, where it is deleted."""
    old = (live_windows.c.window_start < moment, live_windows.c.report_uri.is_not(None))
    connection.execute(update(live_windows).where(*old).values(report_uri=None))


def live_compared(trips: pa.Table) -> pa.Table:
    """The columns that are compared: both areas, and the prediction."""
    return trips.select(list(LIVE_COLUMNS))


def live_document(figures: LiveFigures, evidently: dict[str, Any]) -> bytes:
    """The JSON of a window's report: Evidently's own, and all figures under `report`."""
    return msgspec.json.encode({"report": figures, **evidently}, enc_hook=float)
