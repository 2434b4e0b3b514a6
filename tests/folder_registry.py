"""For the tests of the service: a registry whose models are folders."""

import shutil
from pathlib import Path

import msgspec
from prometheus_client import REGISTRY

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import RegistryError


class FolderRegistry:
    """A registry whose models are folders; it can be away, and can hand out damaged models."""

    def __init__(self, model: Path, champion: ModelVersion | None = None) -> None:
        self.model = model
        self.holds = champion
        self.next: ModelVersion | None = None
        self.away = False
        self.damaged = False
        self.downloads = 0

    def champion(self) -> ModelVersion | None:
        if self.away:
            raise RegistryError("The registry does not answer.", "Start it.")
        return self.holds

    def challenger(self) -> ModelVersion | None:
        if self.away:
            raise RegistryError("The registry does not answer.", "Start it.")
        return self.next

    def download(self, champion: ModelVersion, folder: Path) -> Path:
        target = folder / f"{champion.version}-{champion.run_id}"
        if not target.is_dir():
            self.downloads += 1
            shutil.copytree(self.model, target)
            if self.damaged:
                (target / "model.json").write_text("{}")
        return target


def other(champion: ModelVersion, version: str) -> ModelVersion:
    return msgspec.structs.replace(champion, version=version, run_id=f"run-{version}")


def value(name: str, **labels: str) -> float:
    """What a metric of this process shows; 0 where it does not."""
    return REGISTRY.get_sample_value(name, labels) or 0
