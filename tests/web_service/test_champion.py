import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from duration_service import create_app
from duration_service import following as module
from duration_service.champion import ModelHolder
from duration_service.observations import Observations
from duration_service.shelf import Shelf
from folder_registry import FolderRegistry, other, value
from taxi_duration.contract import ModelVersion
from taxi_duration.errors import NoModelError, RegistryError
from taxi_duration.model.features import Floats
from taxi_duration.settings import Settings


@pytest.fixture
def registry(trained: Path, champion: ModelVersion) -> FolderRegistry:
    return FolderRegistry(trained, champion)


@pytest.fixture
def new_holder(
    registry: FolderRegistry, champion: ModelVersion, tmp_path: Path
) -> Callable[[], ModelHolder]:
    """Holders of one machine: they share its disk."""
    return lambda: ModelHolder(registry, Shelf(tmp_path / "models", champion.name), 0.02)


@pytest.fixture
def holder(new_holder: Callable[[], ModelHolder]) -> ModelHolder:
    return new_holder()


def version(holder: ModelHolder) -> str:
    return holder.serving().version.version


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.01)


def test_without_a_champion_there_is_no_model(
    holder: ModelHolder, registry: FolderRegistry
) -> None:
    registry.holds = None
    holder.look()
    assert holder.registry_view.answers
    with pytest.raises(NoModelError):
        holder.serving()


def test_a_champion_that_appears_is_served(holder: ModelHolder, champion: ModelVersion) -> None:
    holder.look()
    assert holder.serving().version == champion
    assert holder.serving().loaded_from == "registry"


def test_a_champion_that_stays_is_loaded_once(
    holder: ModelHolder, registry: FolderRegistry
) -> None:
    holder.look()
    first = holder.served
    holder.look()
    assert holder.served is first
    assert registry.downloads == 1


def test_a_new_champion_and_a_rollback_are_followed(
    holder: ModelHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    for wanted in ("3", "4", "3"):
        registry.holds = other(champion, wanted)
        holder.look()
        assert version(holder) == wanted
    assert registry.downloads == 2


def test_while_the_registry_is_away_the_model_goes_on(
    holder: ModelHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    holder.look()
    registry.away = True
    holder.look()
    assert version(holder) == champion.version
    assert not holder.registry_view.answers
    assert "does not answer" in str(holder.registry_view.error)


def test_when_the_champions_alias_is_taken_away_the_model_goes_on(
    holder: ModelHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    holder.look()
    registry.holds = None
    holder.look()
    assert version(holder) == champion.version


def test_a_process_that_starts_while_the_registry_is_away_serves_the_last_good_model(
    new_holder: Callable[[], ModelHolder], registry: FolderRegistry, champion: ModelVersion
) -> None:
    new_holder().look()
    registry.away = True
    restarted = new_holder()
    restarted.load_last_good()
    restarted.look()
    assert version(restarted) == champion.version
    assert restarted.serving().loaded_from == "disk"
    assert not restarted.registry_view.answers


def test_a_process_without_a_model_takes_the_one_that_another_of_its_machine_fetched(
    new_holder: Callable[[], ModelHolder], registry: FolderRegistry, champion: ModelVersion
) -> None:
    late = new_holder()
    new_holder().look()
    registry.away = True
    late.look()
    assert version(late) == champion.version


def test_a_champion_that_fails_its_check_is_refused_and_the_model_goes_on(
    holder: ModelHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    holder.look()
    registry.holds, registry.damaged = other(champion, "9"), True
    holder.look()
    holder.look()
    assert version(holder) == champion.version
    assert holder.refused is not None
    assert holder.refused.version == "9"
    assert registry.downloads == 2, "a refused champion is not downloaded again at every look"


def test_a_refused_champion_is_tried_again_later(
    holder: ModelHolder,
    registry: FolderRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry.damaged = True
    holder.look()
    assert holder.refused
    registry.damaged = False
    monkeypatch.setattr(module, "RETRY_REFUSED", timedelta(0))
    holder.look()
    assert holder.served
    assert holder.refused is None


def test_a_refused_champion_is_tried_again_though_the_clock_was_set_back(
    holder: ModelHolder, registry: FolderRegistry
) -> None:
    registry.damaged = True
    holder.look()
    assert holder.refused
    at = holder.refused.at + timedelta(days=1)
    holder.refused = msgspec.structs.replace(holder.refused, at=at)
    registry.damaged = False
    holder.look()
    assert holder.served


def test_a_refusal_is_over_when_the_alias_goes_back(
    holder: ModelHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    holder.look()
    registry.holds, registry.damaged = other(champion, "9"), True
    holder.look()
    registry.holds = champion
    holder.look()
    assert holder.refused is None


def test_an_outage_is_logged_once_and_its_end_too(
    holder: ModelHolder, registry: FolderRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger=module.__name__):
        holder.look()
        registry.away = True
        for _ in range(3):
            holder.look()
        registry.away = False
        holder.look()
    assert caplog.text.count("does not answer") == 1
    assert caplog.text.count("answers again") == 1


def test_a_disk_that_cannot_be_written_is_told_and_does_not_end_the_watch(
    registry: FolderRegistry, champion: ModelVersion, tmp_path: Path
) -> None:
    (tmp_path / "a-file").touch()
    holder = ModelHolder(registry, Shelf(tmp_path / "a-file" / "models", champion.name), 1)
    holder.load_last_good()
    holder.look()
    assert holder.served is None
    assert holder.refused is not None
    assert "NotADirectoryError" in holder.refused.reason
    holder.look()
    assert holder.registry_view.answers, "the registry did answer"
    assert holder.registry_view.error is None


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError("no room")])
def test_a_fault_of_this_machine_is_not_told_as_one_of_the_registry(
    holder: ModelHolder,
    registry: FolderRegistry,
    champion: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    holder.look()

    def full(version: ModelVersion, folder: Path) -> Path:
        raise error

    monkeypatch.setattr(registry, "download", full)
    registry.holds = other(champion, "4")
    holder.look()
    assert version(holder) == champion.version
    assert holder.registry_view.answers
    assert value("taxi_registry_up") == 1
    assert holder.refused is not None
    assert holder.refused.version == "4"
    assert str(error) in holder.refused.reason


def test_a_registry_that_goes_away_in_a_download_is_told_and_asked_again(
    holder: ModelHolder,
    registry: FolderRegistry,
    champion: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(version: ModelVersion, folder: Path) -> Path:
        raise RegistryError("The registry does not answer.", "Start it.")

    with monkeypatch.context() as patched:
        patched.setattr(registry, "download", away)
        holder.look()
    assert holder.refused is None
    assert holder.registry_view.answers is False
    holder.look()
    assert version(holder) == champion.version


def test_a_fault_that_nobody_thought_of_is_logged_once_and_ends_nothing(
    holder: ModelHolder, registry: FolderRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    found = registry.champion

    def wrong() -> ModelVersion | None:
        raise ValueError("nobody thought of it")

    registry.champion = wrong  # type: ignore[method-assign]
    holder.look()
    holder.look()
    assert caplog.text.count("no champion was found: ValueError: nobody thought of it") == 1
    registry.champion = found  # type: ignore[method-assign]
    holder.look()
    assert holder.served


def test_a_disk_of_which_nothing_can_be_read_does_not_end_the_start(
    holder: ModelHolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong() -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(holder.shelf, "last_good", wrong)
    holder.load_last_good()
    assert "no room" in caplog.text


class Says:
    """A model that answers one number, by which its answers are known."""

    def __init__(self, minutes: float) -> None:
        self.minutes = np.full(3, minutes)

    def predict_row(self, features: Floats) -> Floats:
        return self.minutes[None, :]

    def predict_few(self, features: Floats) -> Floats:
        return np.tile(self.minutes, (len(features), 1))


@pytest.fixture
def threads_in_turns() -> Iterator[None]:
    """Threads that take turns so often that two steps of one are seldom seen as one."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("threads_in_turns")
def test_each_answer_is_of_the_model_whose_version_it_names_while_models_are_swapped(
    holder: ModelHolder, champion: ModelVersion, settings: Settings, observations: Observations
) -> None:
    minutes = {"40": 10.0, "50": 20.0}
    models = [(other(champion, number), Says(said)) for number, said in minutes.items()]
    holder.serve(*models[0], "registry")  # type: ignore[arg-type]
    app = create_app(settings, holder, observations)
    answers: list[dict[str, Any]] = []

    def ask() -> None:
        client = app.test_client()
        for _ in range(100):
            answers.append(client.post("/predict", json={}).get_json())
            answers.extend(client.post("/predict", json=[{}] * 3).get_json())

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    while any(thread.is_alive() for thread in asking):
        for one in models:
            holder.serve(*one, "registry")  # type: ignore[arg-type]
            time.sleep(1e-4)
    assert len(answers) == 800
    assert {answer["model_version"] for answer in answers} == set(minutes)
    for answer in answers:
        assert answer["prediction"] == minutes[answer["model_version"]]
        assert answer["run_id"] == f"run-{answer['model_version']}"


def test_the_watch_brings_a_new_champion(
    holder: ModelHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    holder.start()
    try:
        until(lambda: holder.served)
        registry.holds = other(champion, "4")
        until(lambda: version(holder) == "4")
    finally:
        holder.stop()


def answering(version: ModelVersion) -> float:
    return value(
        "taxi_model_info", version=version.version, run_id=version.run_id, source=version.source
    )


def test_the_metrics_name_the_model_that_answers_now_and_count_what_came_and_what_was_refused(
    holder: ModelHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    reloads = value("taxi_model_reloads_total", role="champion")
    refusals = value("taxi_model_refusals_total", role="champion")
    holder.look()
    assert answering(champion) == 1
    registry.holds = later = other(champion, "4")
    holder.look()
    registry.holds, registry.damaged = other(champion, "5"), True
    holder.look()
    assert [answering(one) for one in (champion, later, registry.holds)] == [0, 1, 0]
    assert value("taxi_model_reloads_total", role="champion") == reloads + 2
    assert value("taxi_model_refusals_total", role="champion") == refusals + 1


def test_the_metrics_say_whether_the_registry_answers(
    holder: ModelHolder, registry: FolderRegistry
) -> None:
    holder.look()
    assert value("taxi_registry_up") == 1
    registry.away = True
    holder.look()
    assert value("taxi_registry_up") == 0


class Waits:
    """Stands for the watch's event: it keeps how long was waited, and waits for nothing."""

    def __init__(self, most: int) -> None:
        self.seconds: list[float] = []
        self.most = most

    def is_set(self) -> bool:
        return len(self.seconds) == self.most

    def wait(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.mark.parametrize(
    ("has_model", "poll", "longest"), [(True, 60, 60), (False, 60, 1), (False, 0.2, 0.2)]
)
def test_no_look_is_later_than_the_interval_and_no_two_processes_keep_in_step(
    holder: ModelHolder, has_model: bool, poll: float, longest: float
) -> None:
    if has_model:
        holder.look()
    holder.poll_seconds = poll
    holder._stopped = waits = Waits(200)  # type: ignore[assignment]
    holder.look = lambda: None  # type: ignore[method-assign]
    holder._watch()
    assert max(waits.seconds) <= longest
    assert min(waits.seconds) >= 0.69 * longest
    assert max(waits.seconds) - min(waits.seconds) > 0.1 * longest


def test_the_watch_looks_again_and_again_until_it_is_stopped(holder: ModelHolder) -> None:
    looks: list[float] = []
    holder.look = lambda: looks.append(time.monotonic())  # type: ignore[method-assign]
    holder.start()
    until(lambda: len(looks) > 5)
    holder.stop()
    until(lambda: "champion-watch" not in {thread.name for thread in threading.enumerate()})
