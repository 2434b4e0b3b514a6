import math
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from taxi_duration.model.dataset import target_minutes, trip_features
from taxi_duration.model.features import FEATURES, feature_row
from taxi_duration.trips.schema import REQUEST_COLUMNS, TRIP_SCHEMA
from trips_factory import make_trips

LATER = [name for name in TRIP_SCHEMA.names if name not in REQUEST_COLUMNS]


@pytest.fixture(scope="module")
def trips() -> pa.Table:
    return make_trips("2019-03", count=500)


@pytest.mark.parametrize("name", LATER)
def test_a_column_that_is_known_only_later_changes_no_feature(trips: pa.Table, name: str) -> None:
    index, kind = trips.column_names.index(name), TRIP_SCHEMA.field(name).type
    others = pa.chunked_array([pc.cast(trips[name], pa.string()).combine_chunks()[::-1]])
    absurd = pa.array([None if n % 2 else others[n].as_py() for n in range(len(others))])
    changed = trips.set_column(index, name, absurd.cast(kind))
    assert not changed[name].equals(trips[name]) or trips[name].null_count == len(trips)
    np.testing.assert_array_equal(trip_features(changed), trip_features(trips))


def test_the_columns_of_a_request_are_all_that_features_need(trips: pa.Table) -> None:
    known = trips.select(REQUEST_COLUMNS)
    np.testing.assert_array_equal(trip_features(known), trip_features(trips))


def test_training_and_serving_make_the_same_features(trips: pa.Table) -> None:
    served = [
        feature_row(
            trip["pickup_community_area"],
            trip["dropoff_community_area"],
            trip["trip_start_timestamp"],
        )
        for trip in trips.to_pylist()
    ]
    np.testing.assert_array_equal(np.vstack(served), trip_features(trips))


def test_a_missing_area_is_an_unknown_one() -> None:
    request = pa.table(
        {
            "pickup_community_area": pa.array([None], pa.int16()),
            "dropoff_community_area": pa.array([32], pa.int16()),
            "trip_start_timestamp": pa.array([datetime(2019, 3, 1)], pa.timestamp("us")),
        }
    )
    features = dict(zip(FEATURES, trip_features(request)[0], strict=True))
    assert math.isnan(features["pickup_area"])
    assert features["dropoff_area"] == 32


def test_the_target_is_in_minutes() -> None:
    assert target_minutes(pa.table({"trip_seconds": [90, 600]})).tolist() == [1.5, 10]
