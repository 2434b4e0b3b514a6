from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import Table, select

from monitored import figures
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.model_history import append
from taxi_duration.monitoring.recording import record
from taxi_duration.monitoring.reports import DriftReport
from taxi_duration.monitoring.tables import (
    data_quality,
    drift_columns,
    drift_months,
    performance,
    performance_segments,
)
from taxi_duration.registry.versions import Change
from taxi_duration.settings import Settings

pytestmark = pytest.mark.stack


def report(**changes: Any) -> DriftReport:
    return DriftReport(
        "s3://b/drift.html", "s3://b/drift.json", "http://mlflow/", figures(**changes)
    )


def rows(settings: Settings, table: Table) -> list[dict[str, Any]]:
    with connect(settings) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def test_the_figures_of_a_report_are_the_rows_of_its_month(database: Settings) -> None:
    made = report()
    segments = len(made.figures.segments)
    assert record(database, made) == 1 + 3 + 14 + 2 + segments
    assert len(rows(database, performance_segments)) == segments > 5
    (month,) = rows(database, drift_months)
    assert month["reference_months"] == ["2019-01", "2019-02"]
    assert (month["current_trips"], month["current_sample"]) == (300, 300)
    assert (month["compared_columns"], month["drifted_columns"]) == (3, 1)
    assert (month["drifted_share"], month["drifted"]) == (pytest.approx(1 / 3), False)
    assert (month["report_uri"], month["report_url"]) == (made.html, made.url)
    drifted = [row["column_name"] for row in rows(database, drift_columns) if row["drifted"]]
    assert drifted == ["trip_minutes"]
    measured = {row["dataset"]: row for row in rows(database, performance)}
    for dataset, expected in made.figures.performance.items():
        assert msgspec.structs.asdict(expected).items() <= measured[dataset].items()
    current = [row for row in rows(database, data_quality) if row["dataset"] == "current"]
    assert {row["trips"] for row in current} == {300}


def test_a_month_that_is_reported_twice_is_there_once(database: Settings) -> None:
    record(database, report())
    again = report(made_at=datetime(2019, 6, 1, tzinfo=UTC), drift=figures().drift[:2])
    record(database, again)
    assert len(rows(database, drift_months)) == 1
    names = [row["column_name"] for row in rows(database, drift_columns)]
    assert sorted(names) == ["hour", "trip_minutes"]
    assert len(rows(database, data_quality)) == 14
    assert len(rows(database, performance)) == 2


def test_another_model_version_is_measured_beside_the_former_one(database: Settings) -> None:
    record(database, report())
    record(database, report(model_version="4", made_at=datetime(2019, 6, 1, tzinfo=UTC)))
    assert [row["model_version"] for row in rows(database, drift_months)] == ["4"]
    versions = {row["model_version"] for row in rows(database, performance)}
    assert versions == {"3", "4"}


def test_segments_of_other_versions_stay_and_those_of_the_same_are_replaced(
    database: Settings,
) -> None:
    record(database, report())
    again = {"made_at": datetime(2019, 6, 1, tzinfo=UTC), "segments": figures().segments[:2]}
    record(database, report(**again, model_version="4"))
    assert len(rows(database, performance_segments)) == len(figures().segments) + 2
    record(database, report(**again))
    assert len(rows(database, performance_segments)) == 4


def test_whether_the_version_served_in_that_month_is_told(database: Settings) -> None:
    record(database, report())
    assert {row["served"] for row in rows(database, performance)} == {False}
    promoted = Change(
        alias="champion",
        former="",
        version="3",
        action="promote",
        by="ada@desk",
        reason="It is better.",
        at=datetime(2019, 3, 31, 12, tzinfo=UTC),
    )
    with connect(database) as connection:
        append(connection, database.model_name, promoted)
    record(database, report())
    assert {row["served"] for row in rows(database, performance)} == {True}


def test_months_of_different_sources_do_not_meet(database: Settings) -> None:
    record(database, report())
    record(database, report(source="files"))
    assert {row["source"] for row in rows(database, drift_months)} == {"simulated", "files"}
    assert len(rows(database, data_quality)) == 28
