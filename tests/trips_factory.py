"""Small synthetic trips whose durations follow distance, hour and airport, and a model of them."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from taxi_duration.areas import AIRPORTS, AREAS, LOOP, OHARE
from taxi_duration.model.dataset import Sample, target_minutes, trip_features
from taxi_duration.model.duration_model import DurationModel, ModelInfo
from taxi_duration.model.features import FEATURES
from taxi_duration.model.split import split_by_time
from taxi_duration.model.training import PARAMETERS, fit
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import TRIP_SCHEMA

Numbers = NDArray[Any]
PLACES = np.array([[area.latitude, area.longitude] for area in AREAS])


def make_trips(
    months: str | list[str], count: int = 1_000, seed: int = 0, pace: float = 1.0
) -> pa.Table:
    """`count` trips of each month in TRIP_SCHEMA; `pace` stretches all durations."""
    names = [months] if isinstance(months, str) else months
    return pa.concat_tables([_month(Month.parse(name), count, seed, pace) for name in names])


def sample(trips: pa.Table) -> Sample:
    return Sample(trip_features(trips), target_minutes(trips))


def model_info(**changes: object) -> ModelInfo:
    facts: dict[str, object] = {
        "features": FEATURES,
        "source": "simulated",
        "months": ("2019-01", "2019-02"),
        "lake_uri": "s3://bucket/lake/simulated/trips",
        "lake_version": 3,
        "train_trips": 3_500,
        "calibration_trips": 500,
        "seed": 42,
        "parameters": {**PARAMETERS, "rounds": 60, "min_data_in_leaf": 20},
        "created_at": datetime(2019, 4, 1, tzinfo=UTC),
        "min_minutes": 1.0,
        "max_minutes": 60.0,
    }
    return ModelInfo(**(facts | changes))  # type: ignore[arg-type]


@cache
def small_model() -> DurationModel:
    """A model of 6,000 trips of January and February 2019, fitted in a second or so."""
    trips = make_trips(["2019-01", "2019-02"], count=3_000)
    starts = trips["trip_start_timestamp"].to_numpy()
    split = split_by_time(starts, datetime(2019, 2, 28))
    train, calibration = (
        sample(trips.filter(pa.array(mask))) for mask in (split.train, split.calibration)
    )
    return fit(train, calibration, model_info())


def model_for_other_features() -> DurationModel:
    """That model as an earlier or later version of the code would have made it."""
    model = small_model()
    info = msgspec.structs.replace(model.info, features=(*FEATURES[:-1], "moon"))
    return DurationModel(model.boosters, info)


def _month(month: Month, count: int, seed: int, pace: float) -> pa.Table:
    rng = np.random.default_rng([seed, month.year, month.number])
    pickup, dropoff = _areas(rng, count), _areas(rng, count)
    minutes_there = len(month.days) * 24 * 60
    start = np.datetime64(month.start, "us") + np.sort(
        rng.integers(0, minutes_there // 15, count) * 15
    ).astype("timedelta64[m]")
    seconds = pace * _seconds(rng, pickup, dropoff, start)
    columns = {
        "trip_id": [f"{month}-{number:06d}" for number in range(count)],
        "taxi_id": [f"taxi-{number % 50}" for number in range(count)],
        "trip_start_timestamp": start,
        "trip_end_timestamp": start + seconds.astype("timedelta64[s]"),
        "trip_seconds": seconds,
        "trip_miles": seconds / 180,
        "fare": seconds / 60,
        "trip_total": seconds / 50,
        "pickup_community_area": _with_gaps(pickup),
        "dropoff_community_area": _with_gaps(dropoff),
        "company": ["Flash Cab"] * count,
    }
    return pa.table(
        {
            field.name: pa.array(columns.get(field.name, [None] * count), field.type)
            for field in TRIP_SCHEMA
        }
    )


def _areas(rng: np.random.Generator, count: int) -> Numbers:
    """Areas 1 to 77, the busy ones more often; 0 where unknown."""
    busy = rng.choice([LOOP, 8, 28, 6, 7, OHARE, 56], count)
    anywhere = rng.integers(0, len(AREAS) + 1, count)
    return np.where(rng.random(count) < 0.7, busy, anywhere)


def _with_gaps(areas: Numbers) -> list[int | None]:
    return [int(area) if area else None for area in areas]


def _seconds(
    rng: np.random.Generator, pickup: Numbers, dropoff: Numbers, start: Numbers
) -> Numbers:
    """Whole seconds: 5 minutes, 2.5 a mile, more in rush hours and at airports, and noise."""
    north, east = (PLACES[pickup - 1] - PLACES[dropoff - 1]).T * [[69.0], [51.5]]
    miles = np.hypot(north, east)
    hour = (start - start.astype("datetime64[D]")).astype("timedelta64[h]").astype(int)
    rush = np.isin(hour, [7, 8, 16, 17, 18])
    airport = np.isin(pickup, AIRPORTS) | np.isin(dropoff, AIRPORTS)
    minutes = (5 + 2.5 * miles) * (1 + 0.4 * rush) - 10 * airport
    noisy = minutes * rng.lognormal(0, 0.2, len(minutes))
    return np.asarray(np.round(np.clip(noisy, 1.5, 59) * 60))
