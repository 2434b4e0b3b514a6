"""Groups of pairs of areas, whose intervals are wrong in ways of their own.

What a trip's uncertainty depends on most, and all of it follows from the pair: whether the areas
are known, whether one is an airport, how far the trip goes, and whether the model saw the pair.
"""

import math
from bisect import bisect_right
from typing import Final

import numpy as np
from numpy.typing import NDArray

from taxi_duration.areas import AIRPORTS, Area
from taxi_duration.model.features import PLACES, UNKNOWN_AREA, Floats, haversine_miles

# The dropoffs of each pickup that a model learned from; areas by number, 0 where unknown.
Seen = dict[int, tuple[int, ...]]

_FARTHEST_MILES: Final = {"short": 1.2, "to 2.5 miles": 2.5, "to 5 miles": 5.0, "to 10 miles": 10.0}
GROUPS: Final = (
    "nothing known",
    "pickup unknown",
    "dropoff unknown",
    "from an airport",
    "to an airport",
    *_FARTHEST_MILES,
    "farther",
    "unseen pair",
)
UNSEEN: Final = GROUPS.index("unseen pair")


def pair_numbers(features: Floats) -> NDArray[np.intp]:
    """The number of the pair of each of n trips, of shape (n,), for (n, len(FEATURES))."""
    # NaN is the unknown area.
    pickup, dropoff = np.nan_to_num(features[:, :2], nan=UNKNOWN_AREA).astype(np.intp).T
    return np.asarray(pickup * len(PLACES) + dropoff)


def pair_number(pickup: float, dropoff: float) -> int:
    """The number of the pair of two areas: that of `pair_numbers` for its two columns, faster."""
    return _area_number(pickup) * len(PLACES) + _area_number(dropoff)


def seen_pairs(features: Floats) -> Seen:
    """The pairs of n trips, for (n, len(FEATURES))."""
    found: dict[int, list[int]] = {}
    for number in np.unique(pair_numbers(features)).tolist():
        pickup, dropoff = divmod(number, len(PLACES))
        found.setdefault(pickup, []).append(dropoff)
    return {pickup: tuple(dropoffs) for pickup, dropoffs in found.items()}


def pair_groups(seen: Seen | None) -> NDArray[np.intp]:
    """The place in GROUPS of each pair, by its number; with None, no pair counts as unseen."""
    if seen is None:
        return _GROUPS_OF_SEEN
    groups = np.full_like(_GROUPS_OF_SEEN, UNSEEN)
    for pickup, dropoffs in seen.items():
        numbers = pickup * len(PLACES) + np.array(dropoffs, dtype=np.intp)
        groups[numbers] = _GROUPS_OF_SEEN[numbers]
    return groups


def _area_number(area: float) -> int:
    return UNKNOWN_AREA if math.isnan(area) else int(area)


def _group(pickup: Area | None, dropoff: Area | None) -> int:
    if not (pickup and dropoff):
        return 1 if dropoff else 2 if pickup else 0
    if pickup.number in AIRPORTS:
        return 3
    if dropoff.number in AIRPORTS:
        return 4
    return 5 + bisect_right(tuple(_FARTHEST_MILES.values()), haversine_miles(pickup, dropoff))


_GROUPS_OF_SEEN: Final = np.array(
    [_group(pickup, dropoff) for pickup in PLACES for dropoff in PLACES], dtype=np.intp
)
