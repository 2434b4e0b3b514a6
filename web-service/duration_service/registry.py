"""Where the models come from."""

from pathlib import Path
from typing import Protocol

from taxi_duration.contract import ModelVersion
from taxi_duration.registry import champion
from taxi_duration.settings import Settings


class Registry(Protocol):
    """What the service needs of a model registry."""

    def champion(self) -> ModelVersion | None:
        """The version that should serve, or None; RegistryError where it cannot be reached."""

    def challenger(self) -> ModelVersion | None:
        """The version that may serve next, or None; RegistryError as above."""

    def download(self, version: ModelVersion, folder: Path) -> Path:
        """The folder below `folder` with the model's own files: all of them, or none.

        Every version has a folder of its own; one that is there is not fetched again.
        """


class MlflowRegistry:
    """The settings' MLflow server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def champion(self) -> ModelVersion | None:
        """The version that holds the alias `champion`."""
        return champion.champion(self.settings)

    def challenger(self) -> ModelVersion | None:
        """The version that holds the alias `challenger`."""
        return champion.champion(self.settings, champion.CHALLENGER)

    def download(self, version: ModelVersion, folder: Path) -> Path:
        """The folder below `folder` with the version's own files."""
        return champion.download(self.settings, version, folder)
