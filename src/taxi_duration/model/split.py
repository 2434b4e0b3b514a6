"""Splits by time: a model is calibrated and tested on trips later than those it was fitted on."""

from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from taxi_duration.errors import NoTripsError

Mask = NDArray[np.bool_]

# An eighth of the history: a week of two months. With the test month that is about 60/10/30.
CALIBRATION_SHARE = 0.125


class Split(NamedTuple):
    """The trips of each part as masks of shape (n,), and the moments at which two parts begin."""

    train: Mask
    calibration: Mask
    test: Mask
    calibration_from: datetime
    test_from: datetime


def split_by_time(
    starts: NDArray[np.datetime64],
    test_from: datetime,
    calibration_share: float = CALIBRATION_SHARE,
) -> Split:
    """Trips before `test_from` train and, the latest of them, calibrate; the others test.

    Trips with the same start are never in two parts. Raises NoTripsError where a part is empty.
    """
    test = starts >= np.datetime64(test_from)
    earlier = np.sort(starts[~test])
    if not len(earlier) or not test.any():
        raise NoTripsError(
            f"There are trips on one side of {test_from} only, so nothing can be tested.",
            "Load the month and at least one month before it.",
        )
    moment = calibration_start(earlier, calibration_share)
    train = starts < np.datetime64(moment)
    return Split(train, ~train & ~test, test, moment, test_from)


def calibration_start(
    starts: NDArray[np.datetime64], calibration_share: float = CALIBRATION_SHARE
) -> datetime:
    """When the latest trips begin which calibrate: whole days that hold that share, or more.

    Of a single day it is the latest part. Raises NoTripsError where there are no trips, or none
    that are earlier.
    """
    earlier = np.sort(starts).astype("datetime64[us]")
    if not len(earlier):
        raise NoTripsError("There are no trips to train on.", "Load more trips.")
    latest = earlier[int(len(earlier) * (1 - calibration_share))]
    day = latest.astype("datetime64[D]")
    moment: datetime = (latest if day <= earlier[0] else day).astype("datetime64[us]").item()
    if moment == earlier[0].item():
        raise NoTripsError(
            f"The trips of the history start at {moment}: none is left to train on.",
            "Load more trips.",
        )
    return moment
