"""What answers: a model, and the version that it is."""

from dataclasses import dataclass
from datetime import datetime

from taxi_duration.contract import LoadedFrom, ModelVersion
from taxi_duration.model.duration_model import DurationModel


@dataclass(frozen=True)
class Served:
    """A model that answers; never changed, only replaced whole by another."""

    version: ModelVersion
    model: DurationModel
    loaded_from: LoadedFrom
    loaded_at: datetime
