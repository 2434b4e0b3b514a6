"""What is usual for a version: the trips that it was trained on, scored by it, once, kept in S3."""

from typing import Final, NamedTuple

import pyarrow as pa

from taxi_duration.contract import ModelVersion
from taxi_duration.model.dataset import trip_features
from taxi_duration.monitoring.columns import sample_by_day
from taxi_duration.monitoring.live_window import ASKED_SCHEMA
from taxi_duration.monitoring.scoring import score
from taxi_duration.monitoring.usual import pair_counts
from taxi_duration.registry import champion
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month

# A window of one hour looks at the trips of one hour of the week, of which there are 168.
SAMPLES: Final = 10


class Usual(NamedTuple):
    """Trips with their predictions, in ASKED_SCHEMA; and the pairs of all trips, in PAIR_SCHEMA."""

    trips: pa.Table
    pairs: pa.Table


def usual(settings: Settings, version: ModelVersion, seed: int) -> Usual:
    """Read what is usual for a version; it is made where this is the first window that asks.

    Raises NoTripsError where the lake has not got the months that it was trained on.
    """
    storage = Storage.from_settings(settings)
    place = f"scored/live/{version.version}-{version.run_id}"
    trips, pairs = f"{place}/trips-{seed}.parquet", f"{place}/pairs-{seed}.parquet"
    # Written last, so that where it is, both are.
    if storage.metadata(pairs) is None:
        made = _make(settings, version, seed)
        storage.write_table(trips, made[0])
        storage.write_table(pairs, made[1])
    return Usual(storage.read_table(trips), storage.read_table(pairs))


def _make(settings: Settings, version: ModelVersion, seed: int) -> tuple[pa.Table, pa.Table]:
    model = champion.load(settings, version)
    names = [name for name in ASKED_SCHEMA.names if name != "prediction"]
    months = [Month.parse(month) for month in version.months]
    trips = Lake(Storage.from_settings(settings), version.source).read(
        months, version=model.info.lake_version, columns=names
    )
    sampled = sample_by_day(trips, SAMPLES * settings.report_sample, seed)
    scored = score(sampled, lambda some: model.predict(trip_features(some)))
    return scored.select(ASKED_SCHEMA.names), pair_counts(trips)
