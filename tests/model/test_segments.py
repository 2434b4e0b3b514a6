import numpy as np

from taxi_duration.areas import LOOP, MIDWAY, OHARE
from taxi_duration.model.segments import HOURS, MILES, segments

# Every hour of a week that begins on a Monday, from and to changing places.
START = np.datetime64("2019-03-04T00:30", "m") + np.arange(168).astype("timedelta64[h]")
PICKUP = np.resize([OHARE, LOOP, np.nan, 8, 0, MIDWAY, 77], 168)
DROPOFF = np.resize([LOOP, 8, LOOP, np.nan, OHARE, MIDWAY], 168)


def test_every_trip_is_in_one_band_of_hours() -> None:
    found = segments(PICKUP, DROPOFF, START)
    assert sum(found[name].astype(int) for name in HOURS).tolist() == [1] * 168  # type: ignore[union-attr]
    assert np.flatnonzero(found["morning"])[:4].tolist() == [6, 7, 8, 9]


def test_every_trip_between_known_areas_is_in_one_band_of_miles() -> None:
    found = segments(PICKUP, DROPOFF, START)
    bands = sum(found[f"{name} miles"].astype(int) for name in MILES)
    known = ~(found["pickup unknown"] | found["dropoff unknown"])
    assert np.array_equal(bands, known.astype(int))


def test_places_and_weekend_are_told_apart() -> None:
    found = segments(PICKUP, DROPOFF, START)
    assert np.array_equal(found["pickup unknown"], np.isnan(PICKUP) | (PICKUP == 0))
    assert np.array_equal(found["from an airport"], (PICKUP == OHARE) | (PICKUP == MIDWAY))
    assert np.array_equal(found["to an airport"], (DROPOFF == OHARE) | (DROPOFF == MIDWAY))
    assert np.flatnonzero(found["weekend"]).tolist() == list(range(120, 168))


def test_trips_between_two_unknown_areas_are_a_segment_of_their_own() -> None:
    found = segments(np.array([0, np.nan, 8, 0]), np.array([np.nan, 0, 0, 8]), START[:4])
    assert found["both areas unknown"].tolist() == [True, True, False, False]
    assert list(found)[:3] == ["both areas unknown", "pickup unknown", "dropoff unknown"]
