from datetime import datetime

import numpy as np
import pyarrow as pa

from monitored import scored_trips
from taxi_duration.monitoring.columns import CATEGORIES, NUMBERS, compared, labelled, sample_by_day
from taxi_duration.monitoring.scoring import TRIP_COLUMNS, score
from taxi_duration.trips.schema import TRIP_SCHEMA


def days(trips: pa.Table) -> dict[str, int]:
    day = trips["trip_start_timestamp"].to_numpy().astype("datetime64[D]")
    return dict(zip(*(a.tolist() for a in np.unique(day, return_counts=True)), strict=True))


def test_the_time_is_compared_as_hour_and_weekday_and_never_as_a_date() -> None:
    names = compared(scored_trips(10)).column_names
    assert names == [*CATEGORIES, *NUMBERS]
    assert {"hour", "weekday"} < set(names)
    assert "trip_start_timestamp" not in names


def test_all_that_is_compared_is_read_from_the_lake_or_predicted() -> None:
    read = TRIP_SCHEMA.empty_table().select(TRIP_COLUMNS)
    scored = score(read, lambda trips: np.empty((trips.num_rows, 3)))
    assert compared(scored).num_rows == 0


def test_categories_are_labelled_for_a_person() -> None:
    trip = pa.table(
        {
            "trip_start_timestamp": [datetime(2019, 3, 1, 7, 45)],
            "pickup_community_area": pa.array([76], pa.int16()),
            "dropoff_community_area": pa.array([None], pa.int16()),
            "trip_miles": [2.5],
            "trip_seconds": [630.0],
            "prediction": [9.0],
        }
    )
    assert labelled(compared(trip)).to_pylist() == [
        {
            "pickup_community_area": "O'Hare",
            "dropoff_community_area": "unknown",
            "hour": "07",
            "weekday": "Friday",
            "trip_miles": 2.5,
            "trip_minutes": 10.5,
            "prediction": 9.0,
        }
    ]


def test_a_sample_keeps_the_share_of_each_day_to_the_trip() -> None:
    trips = scored_trips(9_000)
    taken = sample_by_day(trips, 1_000, seed=1)
    assert taken.num_rows == 1_000
    shares = days(taken)
    for day, rows in days(trips).items():
        assert abs(shares[day] - rows / 9) < 1.5


def test_a_sample_holds_no_trip_twice_and_keeps_their_order() -> None:
    trips = scored_trips(5_000).append_column("place", pa.array(range(5_000)))
    places = sample_by_day(trips, 1_234, seed=1)["place"].to_pylist()
    assert places == sorted(set(places))


def test_the_same_seed_takes_the_same_sample_and_another_seed_another() -> None:
    trips = scored_trips(5_000)
    assert sample_by_day(trips, 500, seed=1) == sample_by_day(trips, 500, seed=1)
    assert sample_by_day(trips, 500, seed=1) != sample_by_day(trips, 500, seed=2)


def test_few_trips_are_taken_all() -> None:
    trips = scored_trips(100)
    assert sample_by_day(trips, 100, seed=1) is trips
