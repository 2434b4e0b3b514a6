"""The segments of trips whose errors are told apart: places, hours, distances, weekend."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from taxi_duration.areas import AIRPORTS
from taxi_duration.model.features import FEATURES, feature_matrix

Mask = NDArray[np.bool_]

# First and last hour of each band.
HOURS: Final = {
    "night": (0, 5),
    "morning": (6, 9),
    "midday": (10, 14),
    "evening": (15, 19),
    "late evening": (20, 23),
}
# Miles between the centroids of the two areas, from and below.
MILES: Final = {"0 to 1": (0, 1), "1 to 3": (1, 3), "3 to 8": (3, 8), "8 and more": (8, np.inf)}


def segments(
    pickup: NDArray[Any], dropoff: NDArray[Any], start: NDArray[np.datetime64]
) -> dict[str, Mask]:
    """The trips of each segment as a mask, of shape (n,).

    `pickup` and `dropoff` are community areas, 0 or NaN where unknown; `start` is local time.
    """
    features = feature_matrix(pickup, dropoff, start)
    miles = features[:, FEATURES.index("miles")]
    hour = features[:, FEATURES.index("hour")].astype(int)
    no_pickup, no_dropoff = ~(pickup >= 1), ~(dropoff >= 1)
    return {
        "both areas unknown": no_pickup & no_dropoff,
        "pickup unknown": no_pickup,
        "dropoff unknown": no_dropoff,
        "from an airport": np.isin(pickup, AIRPORTS),
        "to an airport": np.isin(dropoff, AIRPORTS),
        **{name: (hour >= a) & (hour <= b) for name, (a, b) in HOURS.items()},
        **{f"{name} miles": (miles >= a) & (miles < b) for name, (a, b) in MILES.items()},
        "weekend": features[:, FEATURES.index("weekend")] > 0,
    }
