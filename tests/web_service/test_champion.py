import logging
import shutil
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from duration_service import champion as module
from duration_service.champion import ModelHolder
from duration_service.shelf import Shelf
from taxi_duration.contract import ModelVersion
from taxi_duration.errors import NoModelError, RegistryError


class FolderRegistry:
    """A registry whose models are folders; it can be away, and can hand out damaged models."""

    def __init__(self, model: Path, champion: ModelVersion | None = None) -> None:
        self.model = model
        self.holds = champion
        self.away = False
        self.damaged = False
        self.downloads = 0

    def champion(self) -> ModelVersion | None:
        if self.away:
            raise RegistryError("The registry does not answer.", "Start it.")
        return self.holds

    def download(self, champion: ModelVersion, folder: Path) -> Path:
        target = folder / f"{champion.version}-{champion.run_id}"
        if not target.is_dir():
            self.downloads += 1
            shutil.copytree(self.model, target)
            if self.damaged:
                (target / "model.json").write_text("{}")
        return target


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


def other(champion: ModelVersion, version: str) -> ModelVersion:
    return msgspec.structs.replace(champion, version=version, run_id=f"run-{version}")


def version(holder: ModelHolder) -> str:
    return holder.serving().champion.version


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
    assert holder.serving().champion == champion
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
    assert holder.registry_view.error


def test_the_watch_brings_a_new_champion_without_a_request_that_fails_or_mixes(
    holder: ModelHolder, registry: FolderRegistry, champion: ModelVersion
) -> None:
    holder.start()
    try:
        until(lambda: holder.served)
        seen: list[tuple[str, str]] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                served = holder.serving()
                seen.append((served.champion.version, served.champion.run_id))

        asking = threading.Thread(target=ask)
        asking.start()
        registry.holds = other(champion, "4")
        until(lambda: version(holder) == "4")
        done.set()
        asking.join()
        assert set(seen) <= {(champion.version, champion.run_id), ("4", "run-4")}
    finally:
        holder.stop()
