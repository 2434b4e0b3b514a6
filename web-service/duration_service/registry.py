"""Where champions come from."""

from pathlib import Path
from typing import Protocol

import msgspec

from taxi_duration.contract import ModelVersion
from taxi_duration.settings import Settings


class Registry(Protocol):
    """What the service needs of a model registry."""

    def champion(self) -> ModelVersion | None:
        """The version that should serve, or None; RegistryError where it cannot be reached."""

    def download(self, version: ModelVersion, folder: Path) -> Path:
        """The folder below `folder` with the model's own files: all of them, or none.

        Every version has a folder of its own; one that is there is not fetched again.
        """


class MlflowRegistry:
    """The settings' MLflow server.

    MLflow takes seconds to import, so the first call does it, in the thread that watches: a
    process answers from its disk meanwhile.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def champion(self) -> ModelVersion | None:
        """The version that holds the alias `champion`."""
        from taxi_duration.registry import champion  # noqa: PLC0415

        found = champion.champion(self.settings)
        return msgspec.convert(found, ModelVersion | None, from_attributes=True)

    def download(self, version: ModelVersion, folder: Path) -> Path:
        """The folder below `folder` with the version's own files."""
        from taxi_duration.registry import champion  # noqa: PLC0415

        found = champion.Champion(**msgspec.structs.asdict(version))
        return champion.download(self.settings, found, folder)
