import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from duration_service import shadow as module
from duration_service.observations import Answered, Handled, Observations
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


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.01)


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
    observations.observers = [beside := Shadow(challenger, kept := Kept())]
    answers = client.post("/predict", json=TRIPS).get_json()
    one = client.post("/predict", json=TRIPS[0]).get_json()
    assert {answer["model_version"] for answer in [*answers, one]} == {"3"}
    observations.hand_on()
    beside.answer_waiting()
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
    observations.observers = [beside := Shadow(challenger, kept := Kept())]
    client.post("/predict", json=TRIPS)
    observations.hand_on()
    beside.answer_waiting()
    assert kept.answered == []


class Held(AddsAMinute):
    """A challenger that answers when it is let go."""

    def __init__(self, model: DurationModel) -> None:
        super().__init__(model)
        self.asked, self.let_go = threading.Event(), threading.Event()

    def predict(self, features: Floats) -> Floats:
        self.asked.set()
        assert self.let_go.wait(10)
        return super().predict(features)


@pytest.fixture
def held(model: DurationModel, challenger: ChallengerHolder, champion: ModelVersion) -> Held:
    """The challenger's model."""
    held = Held(model)
    version = other(champion, "4")
    challenger.served = Served(version, held, "registry", datetime.now(UTC))  # type: ignore[arg-type]
    return held


@pytest.fixture
def beside(challenger: ChallengerHolder, held: Held) -> Iterator[Shadow]:
    """The shadow at work; what it answered is in its log."""
    shadow = Shadow(challenger, Kept())
    shadow.start()
    yield shadow
    held.let_go.set()
    shadow.stop()


def test_neither_requests_nor_the_log_of_the_champion_wait_for_the_challenger(
    client: FlaskClient, observations: Observations, held: Held, beside: Shadow
) -> None:
    handed: list[int] = []

    class Log:
        def observe(self, answered: list[Answered], handled: list[Handled]) -> None:
            handed.extend(one.number for one in answered)

    observations.observers = [Log(), beside]
    began = time.monotonic()
    for _ in range(5):
        assert client.post("/predict", json=TRIPS).status_code == 200
        observations.hand_on()
        assert held.asked.wait(10)
    assert handed == [1, 2, 3, 4, 5]
    assert time.monotonic() - began < 5, "the challenger is held for as long as the test wants"
    held.let_go.set()
    beside.stop()
    assert isinstance(beside.answers, Kept)
    assert [one.number for one in beside.answers.answered] == [1, 2, 3, 4, 5]


def test_what_a_slow_challenger_does_not_get_through_is_left_out_and_counted(
    client: FlaskClient,
    observations: Observations,
    held: Held,
    beside: Shadow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3 * len(TRIPS))
    before = value("taxi_shadow_left_out_total")
    observations.observers = [beside]
    for _ in range(5):
        client.post("/predict", json=TRIPS)
        observations.hand_on()
    held.let_go.set()
    beside.stop()
    assert isinstance(beside.answers, Kept)
    assert [one.number for one in beside.answers.answered] == [1, 2, 3]
    assert value("taxi_shadow_left_out_total") == before + 2 * len(TRIPS)


def test_a_list_that_is_longer_than_the_bound_has_its_turn(
    client: FlaskClient,
    observations: Observations,
    held: Held,
    beside: Shadow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    held.let_go.set()
    observations.observers = [beside]
    client.post("/predict", json=TRIPS)
    observations.hand_on()
    beside.stop()
    assert isinstance(beside.answers, Kept)
    assert len(beside.answers.answered) == 1


def test_a_challenger_that_never_ends_does_not_hold_up_the_end(
    client: FlaskClient,
    observations: Observations,
    held: Held,
    beside: Shadow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    before = value("taxi_shadow_left_out_total")
    observations.observers = [beside]
    client.post("/predict", json=TRIPS)
    observations.hand_on()
    assert held.asked.wait(10)
    began = time.monotonic()
    beside.stop()
    assert time.monotonic() - began < 5
    assert value("taxi_shadow_left_out_total") == before + len(TRIPS)


def test_a_challenger_that_fails_is_told_and_asked_again(
    client: FlaskClient,
    observations: Observations,
    challenger: ChallengerHolder,
    champion: ModelVersion,
    model: DurationModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Fails(AddsAMinute):
        def predict(self, features: Floats) -> Floats:
            if not self.calls:
                self.calls = 1
                raise ValueError("no such feature")
            return super().predict(features)

    before = value("taxi_shadow_left_out_total")
    failing = Fails(model)
    version = other(champion, "4")
    challenger.served = Served(version, failing, "registry", datetime.now(UTC))  # type: ignore[arg-type]
    observations.observers = [beside := Shadow(challenger, kept := Kept())]
    beside.start()
    client.post("/predict", json=TRIPS)
    observations.hand_on()
    until(lambda: "no such feature" in caplog.text)
    client.post("/predict", json=TRIPS)
    observations.hand_on()
    beside.stop()
    assert [one.number for one in kept.answered] == [2]
    assert value("taxi_shadow_left_out_total") == before + len(TRIPS)
