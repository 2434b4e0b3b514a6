"""The features of a trip, defined once for training, drift and serving.

They are made of what is known when the passenger asks, and of nothing else: the two community
areas and the time of the start. An area that is unknown (the trip begins or ends outside the city)
is NaN, and so is all that follows from it.
"""

import math
from datetime import date, datetime
from functools import lru_cache
from struct import Struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from taxi_duration.areas import AIRPORTS, AREAS, Area

Floats = NDArray[np.float64]

EARTH_RADIUS_MILES: Final = 3958.8
UNKNOWN_AREA: Final = 0
_EPOCH: Final = date(1970, 1, 1).toordinal()
_FIXED_HOLIDAYS: Final = ((1, 1), (7, 4), (12, 25))
_LAST_AREA: Final = len(AREAS)
_FLOAT: Final = Struct("d")

PAIR_FEATURES: Final = (
    "pickup_area",
    "dropoff_area",
    "pickup_latitude",
    "pickup_longitude",
    "dropoff_latitude",
    "dropoff_longitude",
    "pickup_airport",
    "dropoff_airport",
    "miles",
    "miles_north",
    "miles_east",
    "bearing",
)
# The day is the number of days since 1970. It says how old a trip is when a model is fitted, and
# no booster sees it: a tree would carry the last day's level into the months to come.
DAY_FEATURES: Final = ("day", "weekday", "weekend", "day_off", "month")
FEATURES: Final = (*PAIR_FEATURES, *DAY_FEATURES, "hour")
# How many features, from the first, follow from the pair and from the day; one is left, the hour.
FEATURES_OF: Final = (len(PAIR_FEATURES), len(DAY_FEATURES))


def feature_matrix(
    pickup: NDArray[Any], dropoff: NDArray[Any], start: NDArray[np.datetime64]
) -> Floats:
    """The features of n trips, of shape (n, len(FEATURES)).

    `pickup` and `dropoff` are community areas 1 to 77; anything else (0, NaN) is unknown.
    `start` is Chicago local time.
    """
    start = np.asarray(start).astype("datetime64[us]")
    days = start.astype("datetime64[D]")
    distinct, which = np.unique(days, return_inverse=True)
    calendar = np.array([_day_features(day) for day in distinct.tolist()], dtype=np.float64)
    features = np.empty((len(start), len(FEATURES)))
    features[:, : len(PAIR_FEATURES)] = _PAIRS[_area_numbers(pickup), _area_numbers(dropoff)]
    features[:, len(PAIR_FEATURES) : -1] = calendar.reshape(-1, len(DAY_FEATURES))[which]
    features[:, -1] = (start - days).astype(np.int64) / 3_600_000_000
    return features


def feature_row(pickup: int | None, dropoff: int | None, start: datetime) -> Floats:
    """The features of one trip, of shape (1, len(FEATURES)): a row of `feature_matrix`, faster.

    `start` is Chicago local time and carries no zone. The row is not to be changed.
    """
    pair = _PAIR_BYTES[_area_number(pickup)][_area_number(dropoff)]
    seconds = start.hour * 3600 + start.minute * 60 + start.second
    hour = (seconds * 1_000_000 + start.microsecond) / 3_600_000_000
    row = pair + _day_bytes(start.date()) + _FLOAT.pack(hour)
    return np.ndarray((1, len(FEATURES)), np.float64, row)


def _area_number(area: int | None) -> int:
    return area if area is not None and 1 <= area <= _LAST_AREA else UNKNOWN_AREA


def _area_numbers(areas: NDArray[Any]) -> NDArray[np.intp]:
    known = (areas >= 1) & (areas <= _LAST_AREA)
    return np.where(known, areas, UNKNOWN_AREA).astype(np.intp)


@lru_cache(maxsize=4096)
def _day_bytes(day: date) -> bytes:
    return np.array(_day_features(day), dtype=np.float64).tobytes()


def _day_features(day: date) -> tuple[float, ...]:
    weekend = day.weekday() >= 5
    return (
        day.toordinal() - _EPOCH,
        day.weekday(),
        weekend,
        weekend or is_holiday(day),
        day.month,
    )


def is_holiday(day: date) -> bool:
    """Whether it is one of the six days on which most employers in the United States are closed.

    U.S. Bureau of Labor Statistics, National Compensation Survey, paid holidays: New Year's Day,
    Memorial Day, Independence Day, Labor Day, Thanksgiving and Christmas Day.
    """
    if (day.month, day.day) in _FIXED_HOLIDAYS:
        return True
    monday, thursday = day.weekday() == 0, day.weekday() == 3
    return (
        (day.month == 5 and monday and day.day > 24)
        or (day.month == 9 and monday and day.day <= 7)
        or (day.month == 11 and thursday and 22 <= day.day <= 28)
    )


def _pair_features(pickup: Area | None, dropoff: Area | None) -> tuple[float, ...]:
    miles = north = east = bearing = math.nan
    if pickup and dropoff:
        miles = haversine_miles(pickup, dropoff)
        north, east = _offset_miles(pickup, dropoff)
        # A trip within one area has no direction.
        bearing = _bearing_degrees(pickup, dropoff) if pickup != dropoff else math.nan
    return (
        pickup.number if pickup else math.nan,
        dropoff.number if dropoff else math.nan,
        pickup.latitude if pickup else math.nan,
        pickup.longitude if pickup else math.nan,
        dropoff.latitude if dropoff else math.nan,
        dropoff.longitude if dropoff else math.nan,
        pickup.number in AIRPORTS if pickup else math.nan,
        dropoff.number in AIRPORTS if dropoff else math.nan,
        miles,
        north,
        east,
        bearing,
    )


def haversine_miles(a: Area, b: Area) -> float:
    """Great-circle distance between two centroids (haversine formula)."""
    north, south = math.radians(a.latitude), math.radians(b.latitude)
    east = math.radians(b.longitude - a.longitude)
    chord = (
        math.sin((south - north) / 2) ** 2
        + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    )
    return 2 * EARTH_RADIUS_MILES * math.asin(math.sqrt(chord))


def _offset_miles(a: Area, b: Area) -> tuple[float, float]:
    """Miles from a to b to the north and to the east, on a plane that touches the earth there."""
    radians = EARTH_RADIUS_MILES * math.pi / 180
    middle = math.radians((a.latitude + b.latitude) / 2)
    north, east = b.latitude - a.latitude, b.longitude - a.longitude
    return radians * north, radians * east * math.cos(middle)


def _bearing_degrees(a: Area, b: Area) -> float:
    """Direction from a to b, clockwise from north, 0 to 360 degrees."""
    start, end = math.radians(a.latitude), math.radians(b.latitude)
    east = math.radians(b.longitude - a.longitude)
    across = math.sin(east) * math.cos(end)
    ahead = math.cos(start) * math.sin(end) - math.sin(start) * math.cos(end) * math.cos(east)
    return math.degrees(math.atan2(across, ahead)) % 360


# The features of every pair, unknown included: looking one up costs less than working it out.
PLACES: Final[tuple[Area | None, ...]] = (None, *AREAS)
_PAIRS: Final[Floats] = np.array(
    [[_pair_features(pickup, dropoff) for dropoff in PLACES] for pickup in PLACES],
    dtype=np.float64,
)
# As they lie in memory: put together as bytes, a row takes 6 µs of a request, and 10 as an array.
_PAIR_BYTES: Final = tuple(tuple(pair.tobytes() for pair in pairs) for pairs in _PAIRS)
