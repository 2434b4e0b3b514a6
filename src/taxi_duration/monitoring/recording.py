"""A month's figures in Postgres, once, however often the month is reported."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete

from taxi_duration.monitoring.database import connect, migrate, upsert
from taxi_duration.monitoring.figures import CURRENT, REFERENCE, Figures, Measured
from taxi_duration.monitoring.model_history import served_during
from taxi_duration.monitoring.reports import DriftReport
from taxi_duration.monitoring.tables import (
    data_quality,
    drift_columns,
    drift_months,
    performance,
    performance_segments,
)
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month


def record(settings: Settings, report: DriftReport) -> int:
    """Write a report's figures to Postgres, in the place of the month's former ones.

    Returns how many rows. All are written, or none.
    """
    with connect(settings) as connection:
        migrate(connection)
        month = Month.parse(report.figures.month)
        served = served_during(connection, settings.model_name, month)
        rows = _rows(report, report.figures.model_version in served)
        return sum(_replace(connection, table, rows[table]) for table in rows)


def record_performance(connection: Connection, measured: Measured, *, served: bool) -> int:
    """Write how a version did on a month's trips; returns how many rows."""
    rows = _performance_rows(measured, served)
    return sum(_replace(connection, table, rows[table]) for table in rows)


def _replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    """Upsert the rows; what the month's former report had besides goes.

    The performance of other model versions on the same month stays: it is their history.
    """
    written = upsert(connection, table, rows)
    if not written or table is performance:
        return written
    former = delete(table).where(
        table.c.source == rows[0]["source"],
        table.c.month == rows[0]["month"],
        table.c.reported_at != rows[0]["reported_at"],
    )
    if table is performance_segments:
        former = former.where(table.c.model_version == rows[0]["model_version"])
    connection.execute(former)
    return written


def _rows(report: DriftReport, served: bool) -> dict[Table, list[dict[str, Any]]]:
    figures = report.figures
    common = _common(figures.measured)
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
        **_performance_rows(figures.measured, served),
    }


def _common(measured: Measured) -> dict[str, Any]:
    return {
        "source": measured.source,
        "month": Month.parse(measured.month).start.date(),
        "reported_at": measured.made_at,
    }


def _performance_rows(measured: Measured, served: bool) -> dict[Table, list[dict[str, Any]]]:
    common = {**_common(measured), "model_version": measured.model_version}
    return {
        performance: [
            {**common, "served": served, "dataset": dataset, **msgspec.structs.asdict(found)}
            for dataset, found in measured.performance.items()
        ],
        performance_segments: [
            {**common, **msgspec.structs.asdict(segment)} for segment in measured.segments
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
