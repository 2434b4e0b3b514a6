"""A month as the loop judges it: how far its trips drifted, the champion's error, what is missing.

All of it is in the tables that the drift branch fills, so that a decision can be made again.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, Table, select

from taxi_duration.monitoring.columns import TARGET
from taxi_duration.monitoring.database import connect, migrate
from taxi_duration.monitoring.figures import CURRENT, FLOOR, REFERENCE, Figures
from taxi_duration.monitoring.tables import data_quality, drift_columns, drift_months, performance
from taxi_duration.settings import Settings
from taxi_duration.trips.months import Month


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """From where on a month counts against the model (`error_ratio`) or its data (`missing`)."""

    error_ratio: float
    missing: float

    @classmethod
    def from_settings(cls, settings: Settings) -> "Limits":
        """Those that the settings name."""
        return cls(error_ratio=settings.retrain_error_ratio, missing=settings.alarm_missing_share)


class JudgedMonth(msgspec.Struct, frozen=True, kw_only=True):
    """One month of a source, scored by one model version. MAE in minutes, shares 0 to 1."""

    month: str
    model_version: str
    compared_columns: int
    drifted_columns: list[str]
    # Share of drifted columns from which the month counts as drifted.
    threshold: float
    mae: float
    reference_mae: float
    # Mean duration of the trips.
    minutes: float
    reference_minutes: float
    # By how much more of each column is missing than in the reference.
    missing: dict[str, float]

    @property
    def drifted_share(self) -> float:
        """Drifted columns by all that were compared."""
        return len(self.drifted_columns) / self.compared_columns

    @property
    def error_ratio(self) -> float:
        """The month's error by that on the reference, each as a share of the mean duration.

        Longer trips have larger errors: as shares, the months of a year compare with each other.
        """
        return self.share / self._reference_share

    @property
    def share(self) -> float:
        """The month's MAE by the mean duration."""
        return self.mae / self.minutes

    @property
    def _reference_share(self) -> float:
        return self.reference_mae / self.reference_minutes

    def grounds(self, limits: Limits) -> list[str]:
        """What is over its threshold, in words; empty: nothing."""
        found = []
        if self.drifted_share >= self.threshold:
            found.append(
                f"{len(self.drifted_columns)} of {self.compared_columns} columns drifted"
                f" ({', '.join(self.drifted_columns)})"
            )
        # The floor is no model that could be trained again, only its measure.
        if self.model_version != FLOOR and self.error_ratio >= limits.error_ratio:
            found.append(
                f"the error is {self.mae:.2f} minutes or {self.share:.0%} of a trip,"
                f" {self.error_ratio:.2f} times the {self._reference_share:.0%} of the trips that"
                f" model {self.model_version} learned"
            )
        return found

    def gaps(self, limits: Limits) -> list[str]:
        """Columns of which too much is missing, in words; empty: none."""
        return [
            f"{name} is missing in {share:.0%} more of the trips"
            for name, share in self.missing.items()
            if share >= limits.missing
        ]


def judged_month(figures: Figures) -> JudgedMonth:
    """The month that a report is about, as its figures judge it."""
    missing = {
        side: {column.column_name: column.missing_share for column in columns}
        for side, columns in figures.quality.items()
    }
    minutes = {
        side: column.mean or 0.0
        for side, columns in figures.quality.items()
        for column in columns
        if column.column_name == TARGET
    }
    return JudgedMonth(
        month=figures.month,
        model_version=figures.model_version,
        compared_columns=len(figures.drift),
        drifted_columns=figures.drifted_columns,
        threshold=figures.threshold,
        mae=figures.performance[CURRENT].mae,
        reference_mae=figures.performance[REFERENCE].mae,
        minutes=minutes[CURRENT],
        reference_minutes=minutes[REFERENCE],
        missing=_more(missing),
    )


def read_judged(settings: Settings, source: str, month: Month, count: int) -> list[JudgedMonth]:
    """The reported months among the `count` up to `month`, the earliest first."""
    with connect(settings) as connection:
        rows = _rows(connection, drift_months, source, month - (count - 1), month)
        return [_month_of(connection, row) for row in sorted(rows, key=lambda row: row["month"])]


def judged_by(settings: Settings, source: str, month: Month) -> str:
    """The version that the month's report is about; empty: there is no report."""
    query = select(drift_months.c.model_version).where(
        drift_months.c.source == source, drift_months.c.month == month.start.date()
    )
    with connect(settings) as connection:
        migrate(connection)
        return connection.execute(query).scalar() or ""


def latest_month(settings: Settings, source: str) -> Month | None:
    """The latest month of the source that was reported."""
    query = select(drift_months.c.month).where(drift_months.c.source == source)
    with connect(settings) as connection:
        found = connection.execute(query.order_by(drift_months.c.month.desc()).limit(1)).scalar()
    return Month(found.year, found.month) if found else None


def _month_of(connection: Connection, row: dict[str, Any]) -> JudgedMonth:
    month = Month(row["month"].year, row["month"].month)
    columns, counts, errors = (
        _rows(connection, table, row["source"], month, month)
        for table in (drift_columns, data_quality, performance)
    )
    mae = {e["dataset"]: e["mae"] for e in errors if e["model_version"] == row["model_version"]}
    missing: dict[str, dict[str, float]] = {REFERENCE: {}, CURRENT: {}}
    for count in counts:
        missing[count["dataset"]][count["column_name"]] = count["missing_share"]
    minutes = {c["dataset"]: c["mean"] for c in counts if c["column_name"] == TARGET}
    drifted = [column for column in columns if column["drifted"]]
    return JudgedMonth(
        month=str(month),
        model_version=row["model_version"],
        compared_columns=row["compared_columns"],
        drifted_columns=[
            column["column_name"]
            for column in sorted(drifted, key=lambda each: -each["score"] / each["threshold"])
        ],
        threshold=row["threshold"],
        mae=mae[CURRENT],
        reference_mae=mae[REFERENCE],
        minutes=minutes[CURRENT],
        reference_minutes=minutes[REFERENCE],
        missing=_more(missing),
    )


def _more(missing: dict[str, dict[str, float]]) -> dict[str, float]:
    """What is missing on the current side beyond the reference, column by column."""
    return {
        name: round(max(share - missing[REFERENCE].get(name, 0.0), 0.0), 4)
        for name, share in missing[CURRENT].items()
    }


def _rows(
    connection: Connection, table: Table, source: str, first: Month, last: Month
) -> list[dict[str, Any]]:
    query = select(table).where(
        table.c.source == source,
        table.c.month.between(first.start.date(), last.start.date()),
    )
    return [dict(row) for row in connection.execute(query).mappings()]
