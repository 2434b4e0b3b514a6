"""What is usual: the trips that a version was trained on, at the hours that were asked about."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from taxi_duration.monitoring.live_window import PAIR_SCHEMA

LIVE_COLUMNS: Final = ("pickup_community_area", "dropoff_community_area", "prediction")
_AREAS: Final = LIVE_COLUMNS[:2]
_HOURS: Final = 7 * 24


def pair_counts(trips: pa.Table) -> pa.Table:
    """The pairs of areas of all trips, with how many `trips` each has, in PAIR_SCHEMA."""
    counts = trips.group_by(list(_AREAS)).aggregate([([], "count_all")])
    return counts.rename_columns(PAIR_SCHEMA.names)


def missing_share(pairs: pa.Table) -> float | None:
    """Share of trips without one area or both, 0 to 1; None where there are none."""
    return _share(pairs, pc.invert(_known(pairs)))


def unseen_share(pairs: pa.Table, usual: pa.Table) -> float | None:
    """Share of trips between two areas that no usual trip links, 0 to 1; None without trips."""
    unseen = pc.invert(pc.is_in(_pair(pairs), value_set=_pair(usual)))
    return _share(pairs, pc.and_(_known(pairs), unseen))


def same_hours(reference: pa.Table, asked: pa.Table, rows: int, seed: int) -> pa.Table:
    """At most `rows` of the reference's trips, as many of each hour of the week as asked.

    So a window of one hour is compared with what is usual at that hour; the hour itself and the
    weekday say nothing then. An hour that has few trips in the reference may lend some twice.
    """
    place, wanted = _hours(reference), np.bincount(_hours(asked), minlength=_HOURS)
    there = np.bincount(place, minlength=_HOURS)
    wanted = np.where(there > 0, wanted, 0)
    size = min(rows, int(there[wanted > 0].sum()))
    if not size:
        return reference.slice(0, 0)
    chance = np.random.default_rng(seed)
    taken = [
        _draw(chance, np.flatnonzero(place == hour), round(size * wanted[hour] / wanted.sum()))
        for hour in np.flatnonzero(wanted)
    ]
    return reference.take(np.concatenate(taken))


def _draw(chance: np.random.Generator, places: NDArray[Any], count: int) -> NDArray[Any]:
    return np.asarray(chance.choice(places, count, replace=count > len(places)))


def _hours(trips: pa.Table) -> NDArray[np.int64]:
    """The hour of the week at which each trip starts, 0 (Monday at midnight) to 167."""
    start = trips["trip_start_timestamp"]
    hours = pc.add(pc.multiply(pc.day_of_week(start), 24), pc.hour(start))
    return np.asarray(hours.to_numpy(), dtype=np.int64)


def _known(pairs: pa.Table) -> Any:
    return pc.and_(*(pc.is_valid(pairs[name]) for name in _AREAS))


def _pair(pairs: pa.Table) -> Any:
    pickup, dropoff = (pc.fill_null(pairs[name], 0).cast(pa.int32()) for name in _AREAS)
    return pc.add(pc.multiply(pickup, 100), dropoff)


def _share(pairs: pa.Table, holds: Any) -> float | None:
    total = pc.sum(pairs["trips"]).as_py()
    return (pc.sum(pairs["trips"].filter(holds)).as_py() or 0) / total if total else None
