"""For tests of what has its model from a folder: a small model, as the service keeps one."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from taxi_duration.contract import ModelVersion
from taxi_duration.registry.champion import RECORD
from trips_factory import small_model

VERSION = ModelVersion(
    name="taxi-duration",
    version="3",
    run_id="0a6b4d1c9f7e4a2f8d35b1c2e7f6a890",
    source="simulated",
    months=["2019-01", "2019-02"],
    metrics={"mae": 3.6},
    created_at=datetime(2019, 4, 1, tzinfo=UTC),
)


def keep(folder: Path) -> Path:
    """The folder, with the model and the record that says which version it is."""
    small_model().save(folder)
    (folder / RECORD).write_bytes(msgspec.json.encode(VERSION))
    return folder
