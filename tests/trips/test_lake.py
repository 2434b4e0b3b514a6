import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pyarrow as pa
import pytest

from taxi_duration.errors import NoTripsError, TripsError
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.city_api import LoadedMonth
from taxi_duration.trips.clean import QUARANTINE_SCHEMA, CleanMonth
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import TRIP_SCHEMA

pytestmark = pytest.mark.stack

JANUARY, FEBRUARY = Month(2019, 1), Month(2019, 2)

# Replaces a month again and again by 500 and by 700 trips, as a process that can be killed.
WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from test_lake import month_of
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
bucket, region, endpoint, key, secret, source, month, times = sys.argv[2:]
lake, month = Lake(Storage(bucket, region, endpoint, key, secret), source), Month.parse(month)
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(times)):
    lake.replace_month(month, month_of(month, 700 if n % 2 else 500))
    print("replaced", flush=True)
"""


def month_of(month: Month, trips: int, bad: int = 0) -> CleanMonth:
    """A clean month of so many trips, all different."""
    columns = {
        "trip_id": [f"{n * 7919 % 10007:05d}" for n in range(trips)],
        "trip_start_timestamp": [month.start + timedelta(minutes=n % 97) for n in range(trips)],
        "trip_seconds": [float(trips)] * trips,
    }
    empty: list[None] = [None] * trips
    table = pa.table(
        {name: columns.get(name, empty) for name in TRIP_SCHEMA.names}, schema=TRIP_SCHEMA
    )
    reasons = {"too_short": bad} if bad else {}
    quarantine = table.slice(0, bad).append_column("reason", pa.array(["too_short"] * bad))
    return CleanMonth(month, table, quarantine.cast(QUARANTINE_SCHEMA), reasons)


def test_trips_are_found_by_their_ids(storage: Storage) -> None:
    lake = Lake(storage, "found")
    lake.replace_month(JANUARY, month_of(JANUARY, 50))
    version = lake.replace_month(FEBRUARY, month_of(FEBRUARY, 40))
    ids = month_of(JANUARY, 50).trips["trip_id"].to_pylist()
    found = lake.find(FEBRUARY, [ids[3], ids[45], "of no city"], version=version)
    assert found.to_pylist() == [{"trip_id": ids[3], "trip_seconds": 40.0}]
    assert lake.find(FEBRUARY, [], version=version).num_rows == 0
    assert Lake(storage, "nowhere").find(JANUARY, ids, version=0).num_rows == 0


@pytest.fixture(scope="module")
def storage(backends: Settings) -> Storage:
    """A bucket of these tests' own."""
    storage = Storage.from_settings(backends.model_copy(update={"s3_bucket": "lake-tests"}))
    storage.client.create_bucket(Bucket=storage.bucket)
    return storage


@pytest.fixture
def lake(storage: Storage) -> Lake:
    """An empty lake."""
    return Lake(storage, f"source-{random.randrange(10**9)}")


@pytest.fixture
def start_writer(
    storage: Storage, lake: Lake, request: pytest.FixtureRequest
) -> Callable[[Month, int], "subprocess.Popen[str]"]:
    """Starts a process that replaces a month so many times once it is sent a line."""

    def start(month: Month, times: int) -> "subprocess.Popen[str]":
        access = [storage.bucket, storage.region, storage.endpoint, storage.access_key_id]
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(request.path.parent)]
            + [str(part) for part in [*access, storage.secret_access_key, lake._source]]
            + [str(month), str(times)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        request.addfinalizer(partial(end, process))
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    return start


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def test_a_lake_that_was_never_written_to_is_empty(lake: Lake) -> None:
    assert lake.rows() == {}
    assert lake.quarantined() == {}
    assert lake.raw_made_from(JANUARY) is None
    with pytest.raises(NoTripsError, match="Run the pipeline"):
        lake.version()
    with pytest.raises(NoTripsError, match="2019-01"):
        lake.read([JANUARY])
    with pytest.raises(NoTripsError, match="2019-01"):
        lake.read_raw(JANUARY)


def test_a_raw_month_is_kept_with_its_cap_and_replaced_whole(lake: Lake) -> None:
    for cap, rows in [(500, 500), (0, 700)]:
        trips = month_of(JANUARY, rows).trips
        lake.write_raw(LoadedMonth(JANUARY, trips, lake._source, cap, "here"))  # type: ignore[arg-type]
        assert lake.raw_made_from(JANUARY) == (cap, "here")
        assert lake.raw_rows(JANUARY) == rows
        assert lake.read_raw(JANUARY).equals(trips)


def test_a_month_of_another_source_is_refused(lake: Lake) -> None:
    with pytest.raises(TripsError, match="Sources never mix"):
        lake.write_raw(LoadedMonth(JANUARY, month_of(JANUARY, 5).trips, "city", 0))


def test_a_month_written_twice_is_there_once(lake: Lake) -> None:
    lake.replace_month(FEBRUARY, month_of(FEBRUARY, 300, bad=3))
    first = lake.replace_month(JANUARY, month_of(JANUARY, 500, bad=7))
    second = lake.replace_month(JANUARY, month_of(JANUARY, 500, bad=5))
    assert second == first + 1 == lake.version()
    assert lake.rows() == {"2019-01": 500, "2019-02": 300}
    assert lake.quarantined() == {"2019-01": {"too_short": 5}, "2019-02": {"too_short": 3}}


def test_a_quarantine_that_is_no_longer_needed_goes(lake: Lake) -> None:
    lake.replace_month(JANUARY, month_of(JANUARY, 500, bad=7))
    lake.replace_month(JANUARY, month_of(JANUARY, 500))
    assert lake.quarantined() == {}


def test_an_earlier_version_can_be_read_again(lake: Lake) -> None:
    before = lake.replace_month(JANUARY, month_of(JANUARY, 500))
    old = lake.read([JANUARY])
    lake.replace_month(JANUARY, month_of(JANUARY, 700))
    assert lake.read([JANUARY]).num_rows == 700
    assert lake.read([JANUARY], version=before).equals(old)


def test_the_same_trips_are_read_in_the_same_order_however_they_were_written(lake: Lake) -> None:
    month = month_of(JANUARY, 500)
    lake.replace_month(JANUARY, month)
    ordered = lake.read([JANUARY])
    shuffled = month.trips.take(pa.array(random.Random(1).sample(range(500), 500)))
    lake.replace_month(JANUARY, CleanMonth(JANUARY, shuffled, month.quarantine, {}))
    assert lake.read([JANUARY]).equals(ordered)
    starts = ordered["trip_start_timestamp"].to_pylist()
    assert starts == sorted(starts)


def test_only_the_months_and_columns_asked_for_are_read(lake: Lake) -> None:
    for month in (JANUARY, FEBRUARY):
        lake.replace_month(month, month_of(month, 300))
    trips = lake.read([FEBRUARY], columns=["trip_seconds", "trip_start_timestamp"])
    assert trips.column_names == ["trip_seconds", "trip_start_timestamp"]
    assert {start.month for start in trips["trip_start_timestamp"].to_pylist()} == {2}
    assert lake.read([JANUARY, FEBRUARY]).num_rows == 600
    with pytest.raises(NoTripsError, match=r"2019-03\. "):
        lake.read([JANUARY, FEBRUARY + 1])


def test_a_writer_that_is_killed_leaves_one_whole_copy(
    lake: Lake, start_writer: Callable[[Month, int], "subprocess.Popen[str]"]
) -> None:
    for wait in (0.03, 0.08, 0.13, 0.2):
        process = start_writer(JANUARY, 10_000)
        go(process)
        assert process.stdout
        assert process.stdout.readline() == "replaced\n"
        # The process is somewhere within the next replacement.
        time.sleep(wait)
        process.kill()
        assert process.wait() == -9
        trips = lake.read([JANUARY])
        assert lake.rows() == {"2019-01": trips.num_rows}
        assert set(trips["trip_seconds"].to_pylist()) == {float(trips.num_rows)}
    lake.replace_month(JANUARY, month_of(JANUARY, 300))
    assert lake.rows() == {"2019-01": 300}


def test_writers_at_the_same_time_all_land_and_leave_one_copy_each(
    lake: Lake, start_writer: Callable[[Month, int], "subprocess.Popen[str]"]
) -> None:
    months = [JANUARY, JANUARY, FEBRUARY]
    processes = [start_writer(month, 4) for month in months]
    for process in processes:
        go(process)
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert lake.rows() == {"2019-01": 700, "2019-02": 700}
    assert lake.version() == len(months) * 4
    assert len(set(lake.read([JANUARY])["trip_id"].to_pylist())) == 700
