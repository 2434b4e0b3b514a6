from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import select

from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.runs import record_run
from taxi_duration.monitoring.tables import pipeline_runs
from taxi_duration.settings import Settings, load_settings

RUN = {
    "pipeline": "taxi_duration",
    "run_id": 12,
    "month": "2019-03",
    "source": "simulated",
    "status": "completed",
    "started": "2019-05-01T10:00:00",
    "ended": datetime(2019, 5, 1, 10, 3, tzinfo=UTC),
}


@pytest.mark.stack
def test_a_run_that_is_recorded_twice_is_there_once(empty_database: Settings) -> None:
    record_run(empty_database, RUN)
    record_run(empty_database, {**RUN, "status": "failed", "error": "clean_trips: no trips"})
    with connect(empty_database) as connection:
        (row,) = connection.execute(select(pipeline_runs)).mappings()
    assert row["run_id"] == "12"
    assert str(row["month"]) == "2019-03-01"
    assert row["started_at"] == datetime(2019, 5, 1, 10, tzinfo=UTC)
    assert (row["ended_at"] - row["started_at"]).total_seconds() == 180
    assert (row["status"], row["error"]) == ("failed", "clean_trips: no trips")


@pytest.mark.stack
def test_what_is_not_known_of_a_run_is_left_empty(empty_database: Settings) -> None:
    record_run(empty_database, {"pipeline": "taxi_duration", "run_id": "1", "status": "failed"})
    with connect(empty_database) as connection:
        (row,) = connection.execute(select(pipeline_runs)).mappings()
    assert {row[name] for name in ("month", "source", "started_at", "ended_at", "error")} == {None}


def test_a_run_without_its_end_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="status"):
        record_run(load_settings(), {"pipeline": "taxi_duration", "run_id": 1})
