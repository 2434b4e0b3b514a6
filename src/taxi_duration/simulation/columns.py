"""The columns of the City's two data sets, as their API declares them."""

from typing import Final, Literal

import pyarrow as pa

ColumnType = Literal["text", "number", "floating_timestamp", "point"]

# The City's unique key of a row within a data set: no column of it, but every query may name it.
ROW_ID: Final = ":id"
START: Final = "trip_start_timestamp"

COLUMNS: Final[dict[str, ColumnType]] = {
    "trip_id": "text",
    "taxi_id": "text",
    "trip_start_timestamp": "floating_timestamp",
    "trip_end_timestamp": "floating_timestamp",
    "trip_seconds": "number",
    "trip_miles": "number",
    "pickup_census_tract": "text",
    "dropoff_census_tract": "text",
    "pickup_community_area": "number",
    "dropoff_community_area": "number",
    "fare": "number",
    "tips": "number",
    "tolls": "number",
    "extras": "number",
    "trip_total": "number",
    "payment_type": "text",
    "company": "text",
    "pickup_centroid_latitude": "number",
    "pickup_centroid_longitude": "number",
    "pickup_centroid_location": "point",
    "dropoff_centroid_latitude": "number",
    "dropoff_centroid_longitude": "number",
    "dropoff_centroid_location": "point",
}

# Times have no zone; a point is held as the City's CSV writes it: `POINT (-87.6 41.9)`.
ARROW_TYPES: Final[dict[ColumnType, pa.DataType]] = {
    "text": pa.string(),
    "number": pa.float64(),
    "floating_timestamp": pa.timestamp("ms"),
    "point": pa.string(),
}

# What every source of trips gives: the columns, and the row's id.
TRIPS: Final = pa.schema(
    [(name, ARROW_TYPES[kind]) for name, kind in COLUMNS.items()] + [(ROW_ID, pa.string())]
)


def type_of(column: str) -> ColumnType:
    """The type of a column; a row's id is text."""
    return "text" if column == ROW_ID else COLUMNS[column]
