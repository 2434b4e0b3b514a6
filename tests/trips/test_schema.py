from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from taxi_duration.errors import TripSchemaError
from taxi_duration.trips.schema import REQUIRED_COLUMNS, TRIP_SCHEMA, column_name, conform, read_csv

EXPORT = b"""\
Trip ID,Trip Start Timestamp,Trip Seconds,Pickup Census Tract,Pickup Community Area,\
Dropoff Community Area,Fare,Dropoff Centroid  Location
a,01/19/2024 05:00:00 PM,"1,260",17031980000,76,,$45.50,POINT (-87.6 41.8)
b,01/19/2024 12:15:00 AM,0,,8,32,,
"""


def required(**columns: Any) -> pa.Table:
    """One trip with the required columns, as an export would have it."""
    values = {
        "trip_start_timestamp": "2022-04-01T10:30:00.000",
        "trip_seconds": "600",
        "pickup_community_area": "8",
        "dropoff_community_area": "32.0",
    } | columns
    arrays = {n: v if isinstance(v, pa.Array) else pa.array([v]) for n, v in values.items()}
    return pa.table(arrays)


def test_both_spellings_of_a_header_are_one_column() -> None:
    assert column_name("Dropoff Centroid  Location") == "dropoff_centroid_location"
    assert column_name("\ufefftrip_id") == "trip_id"


def test_a_portal_export_is_read_as_the_api_is() -> None:
    first, second = read_csv(EXPORT).to_pylist()
    assert first["trip_start_timestamp"] == datetime(2024, 1, 19, 17)
    assert second["trip_start_timestamp"] == datetime(2024, 1, 19, 0, 15)
    assert first["trip_seconds"] == 1260
    assert first["fare"] == 45.5
    assert first["pickup_census_tract"] == "17031980000"
    assert first["dropoff_centroid_location"] == "POINT (-87.6 41.8)"
    assert (first["pickup_community_area"], first["dropoff_community_area"]) == (76, None)
    assert second["pickup_census_tract"] is None


def test_a_csv_with_headers_alone_has_no_trips() -> None:
    assert read_csv(EXPORT.partition(b"\n")[0] + b"\n").equals(TRIP_SCHEMA.empty_table())


def test_a_line_that_is_cut_off_is_no_csv() -> None:
    with pytest.raises(ValueError, match="Expected 8 columns"):
        read_csv(EXPORT + b"c,01/19/2024 12:15:00 AM,60\n")


def test_whole_numbers_are_read_with_and_without_a_point() -> None:
    (row,) = conform(required()).to_pylist()
    assert (row["pickup_community_area"], row["dropoff_community_area"]) == (8, 32)


def test_a_tract_that_became_a_number_is_text_again() -> None:
    for tract in (17031980000, 17031980000.0):
        table = conform(required(pickup_census_tract=tract))
        assert table["pickup_census_tract"].to_pylist() == ["17031980000"]


def test_nan_and_empty_text_are_null() -> None:
    table = conform(required(trip_seconds=float("nan"), company=" ", fare=""))
    assert [table[name].null_count for name in ("trip_seconds", "company", "fare")] == [1, 1, 1]


def test_a_time_with_a_zone_keeps_its_wall_clock() -> None:
    noon = pa.array([datetime(2022, 4, 1, 12)], pa.timestamp("ns"))
    zoned = pc.assume_timezone(noon, "America/Chicago")
    table = conform(required(trip_start_timestamp=zoned))
    assert table["trip_start_timestamp"].to_pylist() == [datetime(2022, 4, 1, 12)]


@pytest.mark.parametrize("name", REQUIRED_COLUMNS)
def test_a_required_column_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(TripSchemaError, match=f"no column {name};"):
        conform(required().drop_columns([name]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trip_seconds", "ten"),
        ("pickup_community_area", "8.5"),
        ("pickup_community_area", "80000"),
        ("trip_start_timestamp", "first of April"),
    ],
)
def test_a_value_that_cannot_be_read_is_named_with_its_column(name: str, value: str) -> None:
    with pytest.raises(TripSchemaError, match=f"Column {name} cannot be read as"):
        conform(required(**{name: value}))


@pytest.mark.parametrize(
    "file",
    [
        "2013_2016_tfx_sample",
        "2013_2017_portal_export_sample",
        "2019_jan01_11_raw15min",
        "2022_03_01_full_schema",
        "2024_01_ajtu_isnz_sample99",
    ],
)
def test_real_samples_keep_every_value(shared_data: Path, file: str) -> None:
    raw = pq.read_table(shared_data / f"{file}.parquet")
    trips = conform(raw)
    assert trips.schema == TRIP_SCHEMA
    assert trips.num_rows == raw.num_rows
    for name in raw.column_names:
        assert trips[name].cast(raw[name].type).equals(raw[name]), name
