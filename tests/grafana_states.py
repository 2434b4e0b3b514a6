"""States of the database, row by row, and what the queries of panels and rules make of them."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ARRAY, Boolean, Column, Connection, Date, DateTime, Table, Text, Uuid, insert
from sqlalchemy.dialects.postgresql import JSONB

from taxi_duration.monitoring import tables
from taxi_duration.monitoring.grafana.alerts import ABOVE, BELOW, rules
from taxi_duration.monitoring.grafana.files import dashboards

# Of what a test says nothing about, by the type of the column.
_FILLERS: Final[dict[type, Any]] = {
    ARRAY: [],
    JSONB: [],
    Boolean: False,
    Text: "any",
    Date: date(2019, 1, 1),
    DateTime: datetime(2019, 1, 1, tzinfo=UTC),
}
NO_DATA: Final = "no data"


class State(NamedTuple):
    """A database in a transaction that is never committed."""

    connection: Connection
    now: datetime

    def ago(self, **past: float) -> datetime:
        """The moment so long before now."""
        return self.now - timedelta(**past)

    def add(self, table: Table, **given: Any) -> None:
        """A row; columns that need a value and were given none get any."""
        needed = [c for c in table.columns if not c.nullable and c.identity is None]
        row = {column.name: _filler(column) for column in needed} | given
        self.connection.execute(insert(table).values(row))

    def month(
        self,
        source: str,
        month: str,
        *,
        days: float = 1,
        error: float = 4.0,
        coverage: float = 0.8,
        drifted: float = 0.1,
        missing: float = 0.1,
        trips: int = 1_000,
        took: float = 15.0,
        segments: dict[str, tuple[float, float]] | None = None,
    ) -> None:
        """The report of a month, made so many days ago.

        The model was trained on trips of 15 minutes that it predicts to 4 minutes, a tenth of them
        without a dropoff area; `segments` has each one's error and the floor's.
        """
        key = {"source": source, "month": date.fromisoformat(f"{month}-01")}
        self.add(
            tables.drift_months,
            **key,
            model_version="1",
            drifted_share=drifted,
            threshold=0.5,
            reported_at=self.ago(days=days),
        )
        for dataset, mae, mean, share in (
            ("reference", 4.0, 15.0, 0.1),
            ("current", error, took, missing),
        ):
            common = {**key, "dataset": dataset}
            self.add(
                tables.performance,
                **common,
                model_version="1",
                mae=mae,
                coverage_80=coverage,
                trips=trips,
                floor_mae=6.0,
            )
            for column, value in (("trip_minutes", 0.0), ("dropoff_community_area", share)):
                self.add(
                    tables.data_quality,
                    **common,
                    column_name=column,
                    mean=mean,
                    missing_share=value,
                )
        for name, (mae, floor) in (segments or {}).items():
            self.add(
                tables.performance_segments,
                **key,
                model_version="1",
                segment=name,
                mae=mae,
                floor_mae=floor,
            )

    def run(
        self,
        source: str | None,
        month: str,
        days: float,
        status: str = "completed",
        pipeline: str = "taxi_duration",
    ) -> None:
        """A run of a pipeline that ended so many days ago."""
        self.add(
            tables.pipeline_runs,
            pipeline=pipeline,
            run_id=str(uuid.uuid4()),
            source=source,
            month=date.fromisoformat(f"{month}-01") if month else None,
            status=status,
            started_at=self.ago(days=days, minutes=5),
            ended_at=self.ago(days=days),
        )

    def window(self, ended: float, drifted: bool | None, hours: float = 1) -> None:
        """A window of live traffic that ended so many hours ago."""
        self.add(
            tables.live_windows,
            window_start=self.ago(hours=ended + hours),
            window_end=self.ago(hours=ended),
            drifted=drifted,
        )

    def rows(self, text: str, source: str = "city") -> list[dict[str, Any]]:
        """What the database answers."""
        # Every moment is shown.
        text = re.sub(r"\$__timeFilter\([^)]*\)", "true", text).replace("$source", source)
        found = self.connection.execution_options(no_parameters=True).exec_driver_sql(text)
        return [dict(row) for row in found.mappings()]

    def panel(self, board: str, title: str, source: str = "city") -> list[list[dict[str, Any]]]:
        """What each query of a panel gets."""
        [found] = [
            panel
            for each in dashboards()
            for panel in each["panels"]
            if (each["title"], panel["title"]) == (board, title)
        ]
        return [self.rows(target["rawSql"], source) for target in found["targets"]]

    def shown(self, board: str, title: str) -> Any:
        """The one value of a panel; None where it has none."""
        [rows] = self.panel(board, title)
        return next(iter(rows[0].values())) if rows else None

    def firing(self, name: str) -> set[str]:
        """The subjects for which a rule alarms; a rule without subjects has an empty one."""
        [rule] = [rule for rule in rules() if rule.name == name]
        rows = self.rows(rule.query["rawSql"])
        if not rows:
            return {NO_DATA} if rule.without_data == "Alerting" else set()
        return {_subject(row) for row in rows if _is_over(rule.limits, _number(row))}


def annotations(board: str) -> str:
    """The query of a dashboard's marks."""
    [found] = [each for each in dashboards() if each["title"] == board]
    text: str = found["annotations"]["list"][0]["target"]["rawSql"]
    return text


def _filler(column: Column[Any]) -> Any:
    if isinstance(column.type, Uuid):
        return uuid.uuid4()
    found = (value for kind, value in _FILLERS.items() if isinstance(column.type, kind))
    return next(found, 1)


def _subject(row: dict[str, Any]) -> str:
    return " ".join(value for value in row.values() if isinstance(value, str))


def _number(row: dict[str, Any]) -> float | None:
    [value] = [value for value in row.values() if not isinstance(value, str)]
    return None if value is None else float(value)


def _is_over(limits: tuple[str, tuple[float, ...]], value: float | None) -> bool:
    kind, bounds = limits
    if value is None:
        return False
    if kind == ABOVE:
        return value > bounds[0]
    return value < bounds[0] if kind == BELOW else not bounds[0] <= value <= bounds[1]
