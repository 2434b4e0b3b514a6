"""The trip: the City's own 23 columns and their types, defined once."""

import re
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from taxi_duration.errors import TripSchemaError

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

# In the City's CSV exports for people; its API writes ISO 8601, which Arrow reads by itself.
EXPORT_TIME: Final = "%m/%d/%Y %I:%M:%S %p"


def column_name(header: str) -> str:
    """The API's name of a column: `Dropoff Centroid  Location` is `dropoff_centroid_location`."""
    return re.sub(r"\W+", "_", header.strip("\ufeff \t\r\n").lower())


def conform(table: pa.Table, required: Sequence[str] = REQUIRED_COLUMNS) -> pa.Table:
    """The trips of `table` in TRIP_SCHEMA, whichever way the City spelt columns and values.

    Columns that are not there are null, unknown ones are left out, empty texts and NaN are null.
    Raises TripSchemaError naming the column that is missing or cannot be read as its type.
    """
    columns = dict(zip(map(column_name, table.column_names), table.columns, strict=True))
    missing = [name for name in required if name not in columns]
    if missing:
        raise TripSchemaError(
            f"Trips have no column {', '.join(missing)}; what there is: {', '.join(columns)}.",
            "If the City renamed a column, TRIP_SCHEMA has to follow.",
        )
    nothing = pa.nulls(table.num_rows)
    return pa.table(
        [_read(columns.get(field.name, nothing), field) for field in TRIP_SCHEMA],
        schema=TRIP_SCHEMA,
    )


def read_csv(body: bytes) -> pa.Table:
    """The trips of a CSV with the City's headers, in TRIP_SCHEMA.

    Raises ValueError where the text is no whole CSV, TripSchemaError as `conform` does.
    """
    return conform(read_csv_text(body))


def read_csv_text(body: bytes) -> pa.Table:
    """The columns of a CSV as they are headed, every value as text.

    The API writes whole numbers as 8 and as 8.0. Raises ValueError where the text is no whole CSV.
    """
    header, _, rows = body.partition(b"\n")
    names = [name.strip('"') for name in header.decode("utf-8-sig").strip().split(",")]
    if not rows:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    return csv.read_csv(
        pa.BufferReader(rows),
        read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )


def _read(column: Any, field: Any) -> Any:
    """`column` as the type of `field`."""
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.utf8_trim_whitespace(column)
            column = pc.if_else(pc.equal(column, ""), None, column)
        return _convert(column, field.type)
    except pa.ArrowException as error:
        raise TripSchemaError(
            f"Column {field.name} cannot be read as {field.type}: {error}."
        ) from error


def _convert(column: Any, to: Any) -> Any:
    if pa.types.is_timestamp(to):
        return _times(column)
    if pa.types.is_string(to):
        # A tract that passed through a data frame is 17031980000.0.
        return (column.cast(pa.int64()) if pa.types.is_floating(column.type) else column).cast(to)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.replace_substring_regex(column, "[$,]", "")
    numbers = column.cast(pa.float64())
    return pc.if_else(pc.is_nan(numbers), None, numbers).cast(to)


def _times(column: Any) -> Any:
    """Local times without a zone, in microseconds."""
    local = pa.timestamp("us")
    if pa.types.is_timestamp(column.type):
        return (pc.local_timestamp(column) if column.type.tz else column).cast(local, safe=False)
    try:
        return column.cast(local)
    except pa.ArrowInvalid:
        return pc.strptime(column, format=EXPORT_TIME, unit="us")
