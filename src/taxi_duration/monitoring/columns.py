"""The columns that a report compares: what is known at request time, the outcome, the prediction.

The time of the start is compared as hour and weekday: as a time it would differ between any two
months, and say nothing.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxi_duration.areas import AREAS

CATEGORIES: Final = ("pickup_community_area", "dropoff_community_area", "hour", "weekday")
TARGET: Final = "trip_minutes"
PREDICTION: Final = "prediction"
NUMBERS: Final = ("trip_miles", TARGET, PREDICTION)

UNKNOWN: Final = "unknown"
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def compared(scored: pa.Table) -> pa.Table:
    """The compared columns of scored trips: areas, hour and weekday (Monday is 0) as numbers.

    `trip_minutes` is the real duration.
    """
    start = scored["trip_start_timestamp"]
    return pa.table(
        {
            "pickup_community_area": scored["pickup_community_area"],
            "dropoff_community_area": scored["dropoff_community_area"],
            "hour": pc.hour(start),
            "weekday": pc.day_of_week(start),
            "trip_miles": scored["trip_miles"],
            TARGET: pc.divide(scored["trip_seconds"], 60.0),
            PREDICTION: scored["prediction"],
        }
    )


def labelled(columns: pa.Table) -> pa.Table:
    """The compared columns with the categories as text, as a person wants to read them.

    An area that is missing is a category of its own, so that more missing ones are a drift.
    """
    areas = pa.array([UNKNOWN, *(area.name for area in AREAS)])
    hours = pa.array([f"{hour:02d}" for hour in range(24)])
    labels = dict(zip(CATEGORIES, (areas, areas, hours, pa.array(WEEKDAYS)), strict=True))
    for place, name in enumerate(columns.column_names):
        if name in labels:
            codes = pc.fill_null(columns[name], 0)
            columns = columns.set_column(place, name, labels[name].take(codes.combine_chunks()))
    return columns


def sample_by_day(trips: pa.Table, rows: int, seed: int) -> pa.Table:
    """At most `rows` trips, in order; each day keeps its share, to the trip.

    Trips are put in the order of their days and by chance within a day, and every n-th is taken.
    """
    if trips.num_rows <= rows:
        return trips
    days = trips["trip_start_timestamp"].to_numpy().astype("datetime64[D]")
    chance: Any = np.random.default_rng(seed)
    order = np.lexsort((chance.random(len(days)), days))
    places = (np.arange(rows) + chance.random()) * (len(days) / rows)
    return trips.take(np.sort(order[places.astype(np.int64)]))
