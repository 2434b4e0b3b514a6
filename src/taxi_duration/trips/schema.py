"""The trip: the City's own 23 columns and their types, defined once."""

from typing import Final

import pyarrow as pa

TRIP_SCHEMA: Final = pa.schema(
    [
        ("trip_id", pa.string()),
        ("taxi_id", pa.string()),
        # Chicago local time without a zone, rounded to 15 minutes by the City.
        ("trip_start_timestamp", pa.timestamp("us")),
        ("trip_end_timestamp", pa.timestamp("us")),
        ("trip_seconds", pa.float64()),
        ("trip_miles", pa.float64()),
        ("pickup_census_tract", pa.string()),
        ("dropoff_census_tract", pa.string()),
        ("pickup_community_area", pa.int16()),
        ("dropoff_community_area", pa.int16()),
        ("fare", pa.float64()),
        ("tips", pa.float64()),
        ("tolls", pa.float64()),
        ("extras", pa.float64()),
        ("trip_total", pa.float64()),
        ("payment_type", pa.string()),
        ("company", pa.string()),
        ("pickup_centroid_latitude", pa.float64()),
        ("pickup_centroid_longitude", pa.float64()),
        ("pickup_centroid_location", pa.string()),
        ("dropoff_centroid_latitude", pa.float64()),
        ("dropoff_centroid_longitude", pa.float64()),
        ("dropoff_centroid_location", pa.string()),
    ]
)

REQUIRED_COLUMNS: Final = (
    "trip_start_timestamp",
    "trip_seconds",
    "pickup_community_area",
    "dropoff_community_area",
)

# All that is known when the passenger asks. Only these may reach the features.
REQUEST_COLUMNS: Final = (
    "trip_start_timestamp",
    "pickup_community_area",
    "dropoff_community_area",
    "pickup_census_tract",
    "dropoff_census_tract",
    "pickup_centroid_latitude",
    "pickup_centroid_longitude",
    "dropoff_centroid_latitude",
    "dropoff_centroid_longitude",
)
