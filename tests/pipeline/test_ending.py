from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from mailbox_server import kill_while_it_sends
from monitored import with_own_database
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.tables import pipeline_runs
from taxi_duration.pipeline.ending import Ending, record_ending
from taxi_duration.settings import Settings

pytestmark = pytest.mark.stack

STARTED = datetime(2026, 11, 22, 2, 12, tzinfo=UTC)


@pytest.fixture
def settings(backends: Settings) -> Iterator[Settings]:
    with with_own_database(backends) as settings:
        yield settings


def recorded(settings: Settings, ending: Ending, **facts: Any) -> dict[str, Any]:
    """What is recorded of a run of which Mage hands these facts to the callback."""
    always = {
        "pipeline_uuid": "taxi_duration",
        "pipeline_run_id": 12,
        "pipeline_run": SimpleNamespace(started_at=STARTED),
        "parent_block_uuid": "load_trips",
    }
    record_ending(settings, ending, {**always, **facts})
    return read(settings)


def read(settings: Settings) -> dict[str, Any]:
    with connect(settings) as connection:
        return dict(connection.execute(select(pipeline_runs)).mappings().one())


def test_a_completed_run_is_recorded_with_its_month_and_source(settings: Settings) -> None:
    row = recorded(settings, "completed", month="2019-03", source="files")
    assert (row["pipeline"], row["run_id"], row["status"]) == ("taxi_duration", "12", "completed")
    assert (row["month"], row["source"], row["error"]) == (date(2019, 3, 1), "files", None)
    assert row["started_at"] == STARTED < row["ended_at"]


def test_a_failed_run_is_recorded_with_the_block_and_the_reason(settings: Settings) -> None:
    row = recorded(settings, "failed", __error=ValueError("no trips"), month="2019-03")
    assert (row["status"], row["error"]) == ("failed", "load_trips: no trips")


def test_a_run_that_failed_because_of_its_month_is_recorded(settings: Settings) -> None:
    row = recorded(settings, "failed", __error=ValueError("no month"), month="March")
    assert (row["month"], row["error"]) == (None, "load_trips: no month")


def test_a_cancelled_run_is_recorded(settings: Settings) -> None:
    row = recorded(settings, "cancelled", month="")
    assert (row["status"], row["month"], row["error"]) == ("cancelled", None, None)


def test_a_run_that_is_tried_again_is_recorded_once(settings: Settings) -> None:
    recorded(settings, "failed", month="2019-03")
    assert recorded(settings, "completed", month="2019-03")["status"] == "completed"


FAILED = """
from datetime import UTC, datetime
from types import SimpleNamespace
from taxi_duration.pipeline.ending import record_ending
from taxi_duration.settings import load_settings
facts = {
    "pipeline_uuid": "taxi_duration",
    "pipeline_run_id": 12,
    "pipeline_run": SimpleNamespace(started_at=datetime.now(UTC)),
    "parent_block_uuid": "load_trips",
    "__error": ValueError("no trips"),
}
record_ending(load_settings(), "failed", facts)
"""


def test_a_failed_run_that_mage_kills_while_its_alarm_is_sent_is_recorded(
    settings: Settings,
) -> None:
    kill_while_it_sends(FAILED, settings)
    assert read(settings)["error"] == "load_trips: no trips"
