import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from duration_service.observations import Answered, Observations
from duration_service.served import Served
from duration_service.shadow import ChallengerHolder, Shadow
from duration_service.shelf import Shelf
from folder_registry import FolderRegistry, other, value
from taxi_duration.contract import ModelVersion
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.model.features import Floats
from taxi_duration.settings import Settings

TRIPS = [{"pickup_community_area": 8, "trip_id": "a"}, {"dropoff_community_area": 32}]


class Kept:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.answered: list[Answered] = []
        self.roles: set[str] = set()

    def log(self, answered: Answered, role: str) -> None:
        self.answered.append(answered)
        self.roles.add(role)


class AddsAMinute:
    """A challenger that is easily told from the champion."""

    def __init__(self, model: DurationModel) -> None:
        self.model = model
        self.calls = 0

    def predict(self, features: Floats) -> Floats:
        self.calls += 1
        return self.model.predict(features) + 1


@pytest.fixture
def registry(trained: Path, champion: ModelVersion) -> FolderRegistry:
    return FolderRegistry(trained, champion)


@pytest.fixture
def challenger(
    registry: FolderRegistry, champion: ModelVersion, tmp_path: Path
) -> ChallengerHolder:
    return ChallengerHolder(registry, Shelf(tmp_path / "challengers", champion.name), 1)


def running(version: str) -> float:
    return value("taxi_challenger_info", version=version, run_id=f"run-{version}")


def test_a_challenger_comes_and_goes_as_the_registry_says(
    challenger: ChallengerHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    challenger.look()
    assert challenger.served is None
    registry.next = other(champion, "4")
    challenger.look()
    assert challenger.served
    assert challenger.served.version.version == "4"
    assert running("4") == 1
    registry.next = other(champion, "5")
    challenger.look()
    assert (running("4"), running("5")) == (0, 1)
    registry.next = None
    challenger.look()
    assert challenger.served is None
    assert running("5") == 0


def test_while_the_registry_is_away_the_challenger_goes_on(
    challenger: ChallengerHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    registry.next = other(champion, "4")
    challenger.look()
    registry.away = True
    challenger.look()
    assert challenger.served


def test_a_damaged_challenger_is_refused_and_counted(
    challenger: ChallengerHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    before = value("taxi_model_refusals_total", role="challenger")
    registry.next, registry.damaged = other(champion, "4"), True
    challenger.look()
    assert challenger.served is None
    assert value("taxi_model_refusals_total", role="challenger") == before + 1


def test_the_champion_answers_and_both_answers_can_be_logged(
    client: FlaskClient,
    observations: Observations,
    challenger: ChallengerHolder,
    champion: ModelVersion,
    model: DurationModel,
) -> None:
    shadow = AddsAMinute(model)
    version = other(champion, "4")
    challenger.served = Served(version, shadow, "registry", datetime.now(UTC))  # type: ignore[arg-type]
    observations.observers = [Shadow(challenger, kept := Kept())]
    answers = client.post("/predict", json=TRIPS).get_json()
    one = client.post("/predict", json=TRIPS[0]).get_json()
    assert {answer["model_version"] for answer in [*answers, one]} == {"3"}
    observations.hand_on()
    assert kept.roles == {"challenger"}
    assert [len(answered.trips) for answered in kept.answered] == [2, 1]
    assert {answered.served.version.version for answered in kept.answered} == {"4"}
    said = [row[1] for answered in kept.answered for row in answered.minutes.tolist()]
    assert said == pytest.approx([answer["prediction"] + 1 for answer in [*answers, one]])
    assert all(0 < answered.seconds < 5 for answered in kept.answered)
    assert shadow.calls == 1, "all that was asked is answered by one call"


def test_without_a_log_or_the_setting_nothing_runs_in_shadow(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert Shadow.from_settings(settings, Kept()) is None
    wanted = settings.model_copy(update={"shadow": True})
    assert Shadow.from_settings(wanted, Kept()) is not None
    assert not caplog.text
    assert Shadow.from_settings(wanted, None) is None
    assert "not logged" in caplog.text


def test_a_challenger_that_was_promoted_does_not_answer_beside_itself(
    client: FlaskClient,
    observations: Observations,
    challenger: ChallengerHolder,
    champion: ModelVersion,
    model: DurationModel,
) -> None:
    challenger.served = Served(champion, model, "registry", datetime.now(UTC))
    observations.observers = [Shadow(challenger, kept := Kept())]
    client.post("/predict", json=TRIPS)
    observations.hand_on()
    assert kept.answered == []


def test_no_request_waits_for_the_challenger(
    client: FlaskClient,
    observations: Observations,
    challenger: ChallengerHolder,
    champion: ModelVersion,
    model: DurationModel,
) -> None:
    class Slow(AddsAMinute):
        def predict(self, features: Floats) -> Floats:
            time.sleep(1)
            return super().predict(features)

    version = other(champion, "4")
    slow = Served(version, Slow(model), "registry", datetime.now(UTC))  # type: ignore[arg-type]
    challenger.served = slow
    observations.observers, observations.seconds = [Shadow(challenger, kept := Kept())], 0.01
    observations.start()
    client.post("/predict", json=TRIPS)
    time.sleep(0.05)
    began = time.perf_counter()
    for _ in range(5):
        assert client.post("/predict", json=TRIPS).status_code == 200
    assert time.perf_counter() - began < 0.9
    observations.stop()
    assert len(kept.answered) == 6
