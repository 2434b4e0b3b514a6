import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from duration_service import create_app
from duration_service.champion import EXTENSION, ModelHolder
from duration_service.observations import Observations
from duration_service.prediction_log import EXTENSION as LOG
from duration_service.prediction_log import PredictionLog
from duration_service.predictions_table import PredictionsTable
from duration_service.shipping import VIEW, Shipper
from duration_service.spool import Spool
from logged import answered
from taxi_duration.contract import ModelVersion, PredictionLogView, Readiness, Refusal
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.settings import Settings, load_settings


def test_the_process_is_alive_with_and_without_a_model(app: Flask, empty: Flask) -> None:
    for application in (app, empty):
        answer = application.test_client().get("/health")
        assert answer.status_code == 200
        assert answer.json == {"status": "alive"}


def test_ready_names_the_model_and_how_the_registry_does(
    client: FlaskClient, champion: ModelVersion
) -> None:
    answer = client.get("/ready")
    assert answer.status_code == 200
    ready = answer.json
    assert ready is not None
    assert ready["ready"] is True
    assert ready["model_version"] == champion.version
    assert ready["loaded_from"] == "registry"
    assert ready["registry"]["answers"] is True


def test_without_a_model_it_is_not_ready_and_has_no_model_to_tell_of(empty: Flask) -> None:
    client = empty.test_client()
    ready = client.get("/ready")
    assert ready.status_code == 503
    assert ready.headers["Retry-After"]
    assert ready.json is not None
    assert ready.json["ready"] is False
    model = client.get("/model")
    assert model.status_code == 503
    assert model.content_type == "application/problem+json"
    assert model.headers["Retry-After"]


def test_without_a_model_a_caller_comes_back_when_the_next_look_is_over(
    tmp_path: Path, observations: Observations
) -> None:
    rarely = load_settings(home=tmp_path, model_poll_seconds=3600)
    holder = ModelHolder.from_settings(rarely)
    client = create_app(rarely, holder, observations).test_client()
    for answer in (client.get("/ready"), client.get("/model"), client.post("/predict", json={})):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("left", [b"", b'{"database_answers": tr', b'{"written": 7}', b"\xff"])
def test_ready_is_answered_whatever_the_disk_kept_of_the_last_look_at_the_log(
    app: Flask, settings: Settings, left: bytes
) -> None:
    spool = Spool(settings.home / "predictions", 1_000)
    spool.folder.mkdir()
    spool.tell(VIEW, left)
    table = PredictionsTable("")
    app.extensions[LOG] = PredictionLog(spool, Shipper(spool, table, 60, 90), 1)
    answer = app.test_client().get("/ready")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["prediction_log"] is None


class FullDisk(Spool):
    """A spool whose disk takes no predictions while it is full."""

    full = True

    def add(self, lines: bytes, rows: int) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.folder)
        return super().add(lines, rows)


@pytest.mark.parametrize("looked", [True, False])
def test_ready_says_so_while_the_disk_takes_no_predictions(
    app: Flask, settings: Settings, model: DurationModel, champion: ModelVersion, looked: bool
) -> None:
    spool = FullDisk(settings.home / "predictions", 1_000_000)
    spool.folder.mkdir()
    seen = PredictionLogView(True, 0, datetime(2022, 4, 1, tzinfo=UTC), None) if looked else None
    if seen:
        spool.tell(VIEW, msgspec.json.encode(seen))
    log = PredictionLog(spool, Shipper(spool, PredictionsTable(""), 60, 90), 0)
    app.extensions[LOG] = log

    def told() -> PredictionLogView | None:
        answer = app.test_client().get("/ready")
        assert answer.status_code == 200
        return msgspec.json.decode(answer.data, type=Readiness).prediction_log

    assert told() == seen
    log.observe([answered(model, champion, "a")], [])
    # Without the path: whoever asks need not know where things are kept.
    full = msgspec.structs.replace(
        seen or PredictionLogView(None, None, None, None), disk_error="No space left on device"
    )
    assert told() == full
    spool.full = False
    log.observe([answered(model, champion, "b")], [])
    assert told() == seen


def test_model_tells_where_it_comes_from_and_how_good_it_was(
    client: FlaskClient, champion: ModelVersion
) -> None:
    model = client.get("/model").json
    assert model is not None
    expected = msgspec.to_builtins(champion)
    assert {name: model[name] for name in expected} == expected
    assert datetime.fromisoformat(model["loaded_at"]).tzinfo is not None


def test_a_champion_that_was_refused_is_told(app: Flask) -> None:
    holder: ModelHolder = app.extensions[EXTENSION]
    holder.refused = Refusal("9", "run-9", "its golden trips are answered wrongly", datetime.now())
    for page in ("/ready", "/model"):
        answer = app.test_client().get(page)
        assert answer.status_code == 200
        assert answer.json is not None
        assert answer.json["refused"]["version"] == "9"
        assert "golden" in answer.json["refused"]["reason"]
