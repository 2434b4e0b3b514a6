import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_duration.errors import NoTripsError, TripSchemaError, TripsError
from taxi_duration.simulation.app import create_app
from taxi_duration.simulation.columns import COLUMNS, TRIPS
from taxi_duration.simulation.files import TripFiles
from taxi_duration.simulation.source import EVER, Window

STARTS = [datetime(2019, 1, 2, 9), datetime(2019, 1, 1, 8), datetime(2019, 1, 2, 0), None]


def parquet(folder: Path, name: str = "trips.parquet", **columns: object) -> Path:
    table = pa.table(
        {"trip_start_timestamp": STARTS, "trip_seconds": [60, 120, 180, 240], **columns}
    )
    pq.write_table(table, folder / name)
    return folder / name


def rows(source: TripFiles, window: Window = EVER) -> list[dict[str, object]]:
    return [row for part in source.parts(window) for row in part.to_pylist()]


def test_rows_come_by_start_with_the_citys_types_and_missing_columns_empty(tmp_path: Path) -> None:
    source = TripFiles(
        [parquet(tmp_path, pickup_community_area=pa.array([8, None, 76, 1], pa.int64()))]
    )
    parts = list(source.parts(EVER))
    assert [part.schema for part in parts] == [TRIPS, TRIPS]
    found = rows(source)
    assert [row["trip_seconds"] for row in found] == [120.0, 180.0, 60.0]
    assert [row["pickup_community_area"] for row in found] == [None, 76.0, 8.0]
    assert {row["trip_id"] for row in found} == {None}


def test_a_window_holds_the_rows_that_start_in_it(tmp_path: Path) -> None:
    source = TripFiles([parquet(tmp_path)])
    window = Window(datetime(2019, 1, 1, 8), datetime(2019, 1, 2, 9))
    assert [row["trip_seconds"] for row in rows(source, window)] == [120.0, 180.0]
    assert rows(source, Window(datetime(2020, 1, 1), datetime(2020, 2, 1))) == []


def test_several_files_are_one_source(tmp_path: Path) -> None:
    paths = [parquet(tmp_path, "a.parquet"), parquet(tmp_path, "b.parquet")]
    assert len(rows(TripFiles(paths))) == 6


def test_ids_of_rows_are_unique_in_no_order_and_the_same_next_time(tmp_path: Path) -> None:
    path = tmp_path / "many.parquet"
    pq.write_table(pa.table({"trip_start_timestamp": [datetime(2019, 1, 1)] * 500}), path)
    one, other = ([row[":id"] for row in rows(TripFiles([path]))] for _ in range(2))
    assert one == other
    assert len(set(one)) == 500
    assert one != sorted(one)  # type: ignore[type-var]


def test_the_portals_csv_export_is_read(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        "Trip ID,Trip Start Timestamp,Trip Seconds,Trip Miles,Pickup Census Tract,Company,"
        "Dropoff Centroid  Location\n"
        'abc,01/19/2024 05:00:00 PM,"660",1.5,17031839100,"Taxicab Insurance Agency, LLC",'
        "POINT (-87.6 41.9)\n"
        "def,01/19/2024 12:15:00 AM,,,,,\n",
        encoding="utf-8",
    )
    first, second = rows(TripFiles([path]))
    assert first["trip_start_timestamp"] == datetime(2024, 1, 19, 0, 15)
    assert {first[name] for name in ("trip_seconds", "company", "dropoff_centroid_location")} == {
        None
    }
    assert second["trip_start_timestamp"] == datetime(2024, 1, 19, 17)
    assert second["trip_seconds"] == 660.0
    assert second["pickup_census_tract"] == "17031839100"
    assert second["company"] == "Taxicab Insurance Agency, LLC"
    assert second["dropoff_centroid_location"] == "POINT (-87.6 41.9)"


def test_what_the_api_gave_as_csv_can_be_served_again(tmp_path: Path) -> None:
    client = create_app(
        TripFiles([parquet(tmp_path, company=['A "B"', "C", None, "D"])])
    ).test_client()
    text = client.get("/resource/wrvz-psew.csv").text
    path = tmp_path / "again.csv"
    path.write_text(text, encoding="utf-8")
    assert create_app(TripFiles([path])).test_client().get("/resource/wrvz-psew.csv").text == text


def test_answers_say_that_they_come_from_files(tmp_path: Path) -> None:
    client = create_app(TripFiles([parquet(tmp_path)])).test_client()
    response = client.get("/resource/wrvz-psew.json?$select=max(trip_start_timestamp)")
    assert response.headers["X-Taxi-Source"] == "files"
    assert "2019-01-01 to 2019-01-02" in response.headers["X-Taxi-Origin"]
    assert json.loads(response.text) == [{"max_trip_start_timestamp": "2019-01-02T09:00:00.000"}]


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("none.parquet", None, TripsError, "none.parquet does not exist"),
        ("bad.parquet", b"not parquet", TripsError, "bad.parquet cannot be read"),
        ("other.csv", b"a,b\n1,2\n", TripSchemaError, "no column trip_start_timestamp"),
        ("words.csv", b"trip_start_timestamp,fare\n2019-01-01,much\n", TripsError, "words.csv"),
        ("empty.csv", b"trip_start_timestamp,fare\n", NoTripsError, "no trips"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, content: bytes | None, error: type[TripsError], message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=message):
        TripFiles([tmp_path / name])


def test_a_column_of_another_type_is_named(tmp_path: Path) -> None:
    path = parquet(tmp_path, fare=["cheap", "dear", "1", "2"])
    with pytest.raises(TripSchemaError, match="fare cannot be read as double"):
        TripFiles([path])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "2019_jan01_11_raw15min",
        "2019_jan_sep_hourly_companies",
        "2022_03_01_full_schema",
        "2013_2017_portal_export_sample",
        "2013_2016_tfx_sample",
        "2024_01_ajtu_isnz_sample99",
    ],
)
def test_real_samples_are_served_whole(shared_data: Path, name: str) -> None:
    path = shared_data / f"{name}.parquet"
    source = TripFiles([path])
    assert sum(part.num_rows for part in source.parts(EVER)) == pq.read_metadata(path).num_rows
    dataset = "ajtu-isnz" if "2024" in name else "wrvz-psew"
    page = create_app(source).test_client().get(f"/resource/{dataset}.csv?$limit=5&$order=:id")
    assert page.text.splitlines()[0] == ",".join(f'"{column}"' for column in COLUMNS)
    assert len(page.text.splitlines()) == 6
