"""A month's figures in Postgres, once, however often the month is reported."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete

from taxi_duration.monitoring.database import connect, migrate, upsert
from taxi_duration.monitoring.figures import CURRENT, REFERENCE, Figures
from taxi_duration.monitoring.reports import DriftReport
from taxi_duration.monitoring.tables import data_quality, drift_columns, drift_months, performance
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month


def record(settings: Settings, report: DriftReport) -> int:
    """Write a report's figures to Postgres, in the place of the month's former ones.

    Returns how many rows. All are written, or none.
    """
    with connect(settings) as connection:
        migrate(connection)
        return sum(_replace(connection, table, rows) for table, rows in _rows(report).items())


def _replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    """Upsert the rows; what the month's former report had besides goes.

    The performance of other model versions on the same month stays: it is their history.
    """
    written = upsert(connection, table, rows)
    if table is not performance:
        former = delete(table).where(
            table.c.source == rows[0]["source"],
            table.c.month == rows[0]["month"],
            table.c.reported_at != rows[0]["reported_at"],
        )
        connection.execute(former)
    return written


def _rows(report: DriftReport) -> dict[Table, list[dict[str, Any]]]:
    figures = report.figures
    common = {
        "source": figures.source,
        "month": Month.parse(figures.month).start.date(),
        "reported_at": figures.made_at,
    }
    link = {"report_uri": report.html, "report_url": report.url}
    version = {"model_version": figures.model_version}
    return {
        drift_months: [{**common, **version, **link, **_month_row(figures)}],
        drift_columns: [{**common, **msgspec.structs.asdict(column)} for column in figures.drift],
        data_quality: [
            {**common, "dataset": dataset, **msgspec.structs.asdict(column)}
            for dataset, columns in figures.quality.items()
            for column in columns
        ],
        performance: [
            {**common, **version, "dataset": dataset, **msgspec.structs.asdict(measured)}
            for dataset, measured in figures.performance.items()
        ],
    }


def _month_row(figures: Figures) -> dict[str, Any]:
    return {
        "reference_months": figures.reference_months,
        "reference_trips": figures.performance[REFERENCE].trips,
        "current_trips": figures.performance[CURRENT].trips,
        "reference_sample": figures.sampled_trips[REFERENCE],
        "current_sample": figures.sampled_trips[CURRENT],
        "compared_columns": len(figures.drift),
        "drifted_columns": len(figures.drifted_columns),
        "drifted_share": figures.drifted_share,
        "threshold": figures.threshold,
        "drifted": figures.drifted,
        "lake_version": figures.lake_version,
    }
