"""What keeps a drill apart: its trips have a source of their own, its model a name of its own."""

from collections.abc import Mapping
from typing import Any

import msgspec

from taxi_duration.settings import Settings
from taxi_duration.simulation.source import DRILL


def is_drill(facts: Mapping[str, Any]) -> bool:
    """Whether a run's variables, or what its blocks hand on, are of a drill."""
    if facts.get("source") == DRILL:
        return True
    # Mage's forms give text, and nothing as an empty one or a list.
    given = facts.get("drill")
    return bool(given) and msgspec.convert(given, bool, strict=False)


def settings_of(settings: Settings, facts: Mapping[str, Any]) -> Settings:
    """The settings for a run: those of a drill name another model and other experiments."""
    return drilled(settings) if is_drill(facts) else settings


def drilled(settings: Settings) -> Settings:
    """The settings with the drill's model and experiments in the place of the real ones."""
    names = ("model_name", "mlflow_experiment")
    return settings.model_copy(
        update={name: f"{getattr(settings, name)}-{DRILL}" for name in names}
    )
