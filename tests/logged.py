"""For the tests of the log of predictions: answers as requests leave them, and what is logged."""

import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import select

from duration_service.champion import Served
from duration_service.observations import Answered
from taxi_duration.contract import ModelVersion, Trip
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.model.features import feature_matrix
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.tables import predictions
from taxi_duration.settings import Settings

START = datetime(2022, 4, 1, 10, 30, 0, 123457)


def answered(
    model: DurationModel, champion: ModelVersion, *trip_ids: str | None, number: int = 1
) -> Answered:
    """An answer for trips from the Loop (8) to O'Hare (76); the last one's dropoff is unknown."""
    count = len(trip_ids)
    dropoff = np.array([76.0] * (count - 1) + [np.nan])
    features = feature_matrix(np.full(count, 8), dropoff, np.array([START] * count, "M8[us]"))
    served = Served(champion, model, "registry", datetime.now(UTC))
    trips = [Trip(trip_id=one) for one in trip_ids]
    minutes = model.predict(features)
    return Answered(time.time(), 0.004, trips, features, minutes, served, number)


def rows(settings: Settings) -> list[dict[str, Any]]:
    """All that is logged, in the order of the ids."""
    query = select(predictions).order_by(predictions.c.id, predictions.c.role)
    with connect(settings) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def logged_ids(settings: Settings) -> list[str]:
    """The callers' ids of all trips that are logged."""
    return [row["trip_id"] for row in rows(settings)]
