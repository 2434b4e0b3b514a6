import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from duration_service.problems import ProblemError
from duration_service.requests import decode_trips
from taxi_duration.areas import AREAS
from taxi_duration.contract import FieldProblem, Trip

FIELDS = set(Trip.__struct_fields__)


def encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


def refused(body: Any, most: int = 10) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        decode_trips(body if isinstance(body, bytes) else encoded(body), most)
    return caught.value


def only_error(body: Any) -> FieldProblem:
    error = refused(body)
    assert error.status == 422
    (wrong,) = error.errors
    return wrong


def one(**fields: Any) -> Trip:
    trip = decode_trips(encoded(fields), 10)
    assert isinstance(trip, Trip)
    return trip


@pytest.mark.parametrize("area", [8, 8.0, "8", "8.0", "8."])
def test_an_area_may_be_a_whole_number_or_a_string_of_one(area: object) -> None:
    written = one(pickup_community_area=area).pickup_community_area
    assert written is not None
    assert float(written) == 8


@pytest.mark.parametrize("area", [1, len(AREAS), "1", str(len(AREAS))])
def test_the_first_and_the_last_area_are_areas(area: object) -> None:
    assert one(dropoff_community_area=area).dropoff_community_area is not None


def test_an_area_that_is_null_or_left_out_is_unknown() -> None:
    assert one(pickup_community_area=None) == one() == Trip()


@pytest.mark.parametrize(
    "area",
    [0, 78, -8, 8.5, 1e300, True, False, "", "0", "78", "08", "8.5", "Loop", "NaN", [8], {"a": 8}],
)
def test_what_is_no_area_is_refused_saying_what_came(area: object) -> None:
    wrong = only_error({"pickup_community_area": area})
    assert wrong.path == "$.pickup_community_area"
    assert wrong.came == encoded(area).decode()
    assert "1 to 77" in wrong.expected


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2022-04-01T10:30:00", "2022-04-01T10:30:00"),
        ("2022-04-01T10:30", "2022-04-01T10:30:00"),
        ("2022-04-01 10:30:00", "2022-04-01T10:30:00"),
        ("2021-09-30T23:45:00.000", "2021-09-30T23:45:00"),
        ("2021-09-30T23:45:00.123456789", "2021-09-30T23:45:00.123456"),
        ("2024-02-29T00:00:00", "2024-02-29T00:00:00"),
    ],
)
def test_a_time_without_a_zone_is_chicagos(written: str, read: str) -> None:
    start = one(trip_start_timestamp=written).trip_start_timestamp
    assert start is not None
    assert start.tzinfo is None
    assert start.isoformat() == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2022-04-01T15:30:00Z", "2022-04-01T10:30:00"),
        ("2022-01-01T15:30:00Z", "2022-01-01T09:30:00"),
        ("2022-04-01T17:30:00+02:00", "2022-04-01T10:30:00"),
        ("2022-04-01T08:30:00-0700", "2022-04-01T10:30:00"),
        ("2001-01-01T00:00:00+14:00", "2000-12-31T04:00:00"),
    ],
)
def test_a_time_with_a_zone_is_converted_to_chicagos(written: str, read: str) -> None:
    start = one(trip_start_timestamp=written).trip_start_timestamp
    assert start is not None
    assert start.tzinfo is None
    assert start.isoformat() == read


@pytest.mark.parametrize(
    "time",
    [
        "",
        "now",
        "2022-04-01",
        "10:30",
        "2022-02-30T10:30:00",
        "2023-02-29T10:30:00",
        "2022-13-01T10:30:00",
        "2022-04-01T24:30:00",
        "2022-04-01T10:60:00",
        "2022-04-01T10:30:00+25:00",
        "2000-12-31T23:59:59",
        "2101-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "20220401T103000",
        "2022-W13-5T10:30:00",
        "٢٠٢٢-04-01T10:30:00",
        1648809000,
        True,
        [],
    ],
)
def test_what_is_no_possible_time_is_refused_with_an_example(time: object) -> None:
    wrong = only_error({"trip_start_timestamp": time})
    assert wrong.path == "$.trip_start_timestamp"
    assert "2022-04-01T10:30:00" in wrong.expected


@pytest.mark.parametrize(
    "time",
    ["2022-03-13T02:30:00", "2022-03-13 02:00", "2024-03-10T02:59:59.999", "2006-04-02T02:30:00"],
)
def test_a_time_that_the_clocks_skip_is_refused_saying_why(time: str) -> None:
    wrong = only_error([{"trip_start_timestamp": time}])
    assert wrong.path == "$[0].trip_start_timestamp"
    assert time in wrong.came
    assert "skip when summer time begins" in wrong.expected


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2022-03-13T01:59:59", "2022-03-13T01:59:59"),
        ("2022-03-13T03:00:00", "2022-03-13T03:00:00"),
        ("2022-03-13T02:30:00Z", "2022-03-12T20:30:00"),
        ("2022-03-13T08:30:00Z", "2022-03-13T03:30:00"),
        ("2022-03-14T02:30:00", "2022-03-14T02:30:00"),
        ("2022-03-20T02:30:00", "2022-03-20T02:30:00"),
        ("2022-04-03T02:30:00", "2022-04-03T02:30:00"),
        ("2006-03-12T02:30:00", "2006-03-12T02:30:00"),
        # Twice there that day.
        ("2022-11-06T01:30:00", "2022-11-06T01:30:00"),
        ("2022-11-06T06:30:00Z", "2022-11-06T01:30:00"),
        ("2022-11-06T07:30:00Z", "2022-11-06T01:30:00"),
    ],
)
def test_times_beside_the_skipped_hour_and_those_that_come_twice_are_times(
    written: str, read: str
) -> None:
    start = one(trip_start_timestamp=written).trip_start_timestamp
    assert start is not None
    assert start.isoformat() == read


@pytest.mark.parametrize("trip_id", [7, True, ["a"], "x" * 129, "a\0b", "\0"])
def test_a_trip_id_is_a_string_that_is_not_too_long(trip_id: object) -> None:
    assert only_error({"trip_id": trip_id}).path == "$.trip_id"


def test_an_unknown_field_is_named_with_the_one_that_was_meant() -> None:
    wrong = only_error({"pickup_comunity_area": 8})
    assert wrong.path == "$.pickup_comunity_area"
    assert "pickup_community_area" in wrong.expected


def test_an_unknown_field_that_resembles_none_gets_the_list_of_fields() -> None:
    wrong = only_error({"fare mi": 12})
    assert wrong.path == '$["fare mi"]'
    assert all(field in wrong.expected for field in FIELDS)


def test_everything_that_is_wrong_is_told_at_once_with_its_place() -> None:
    error = refused(
        [
            {"pickup_community_area": 99, "fare": 3, "trip_start_timestamp": "x"},
            {"pickup_community_area": 8},
            "trip",
            {"dropoff_community_area": 0},
        ]
    )
    assert error.status == 422
    assert [wrong.path for wrong in error.errors] == [
        "$[0].pickup_community_area",
        "$[0].fare",
        "$[0].trip_start_timestamp",
        "$[2]",
        "$[3].dropoff_community_area",
    ]


def test_a_long_wrong_value_is_shown_cut() -> None:
    assert len(only_error({"pickup_community_area": "8" * 100_000}).came) < 120


def test_a_field_that_comes_twice_and_is_wrong_once_is_refused() -> None:
    body = b'{"pickup_community_area": 99, "pickup_community_area": 8}'
    assert "77" in refused(body).errors[0].expected


@pytest.mark.parametrize("body", [b"3", b"null", b"true", b'"trip"', b"1e5"])
def test_json_that_is_neither_a_trip_nor_a_list_is_refused(body: bytes) -> None:
    assert only_error(body).path == "$"


def test_an_empty_list_is_refused() -> None:
    assert only_error([]).expected == "1 to 10 trips"


@pytest.mark.parametrize("trip", [{}, {"pickup_community_area": 99}])
def test_a_list_that_is_too_long_is_refused_whatever_is_in_it(trip: dict[str, int]) -> None:
    assert isinstance(decode_trips(encoded([{}] * 10), 10), list)
    assert refused([trip] * 11).status == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b"{}x",
        b"pickup_community_area=8",
        b"{'pickup_community_area': 8}",
        b'{"pickup_community_area": 99, "dropoff_community_area": }',
        b'{"trip_id": "\xff"}',
        b'{"trip_id": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"trip_id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_not_json_is_told_apart_from_a_wrong_trip(body: bytes) -> None:
    assert refused(body).status == 400


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_not_json_get_the_advice_to_write_null(number: bytes) -> None:
    error = refused(b'{"pickup_community_area": ' + number + b"}")
    assert error.status == 400
    assert "null" in error.detail


LONGEST = 5_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"0," * (LONGEST // 2) + b"0]",
        b"[" + b"{}," * (LONGEST // 3) + b"{}]",
        b"{" + b",".join(b'"%06d":1' % n for n in range(LONGEST // 11)) + b"}",
    ],
    ids=["numbers", "trips", "fields"],
)
def test_more_values_than_trips_can_have_are_refused_before_they_take_memory(body: bytes) -> None:
    tracemalloc.start()
    try:
        error = refused(body, most=10_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.status == 413
    assert peak < 1_000_000


def test_the_citys_own_records_are_told_which_fields_are_not_asked_for() -> None:
    record = {f"column_{n}": n for n in range(23)}
    error = refused(encoded([record] * 10_000), most=10_000)
    assert error.status == 422
    assert error.errors[0].path == "$[0].column_0"


def test_an_area_or_a_time_of_any_length_is_refused_where_no_honest_one_is_as_long() -> None:
    assert only_error({"pickup_community_area": "8." + "0" * 63})
    assert only_error({"trip_start_timestamp": "2022-04-01T10:30:00." + "0" * 45})
    # As long as one may be.
    time = "2022-04-01T10:30:00." + "0" * 44
    assert one(pickup_community_area="8." + "0" * 62, trip_start_timestamp=time)


@pytest.mark.parametrize(
    "body",
    [
        b"N" * LONGEST,
        b'{"pickup_community_area":"8.' + b"0" * LONGEST + b'x"}',
        b'{"trip_start_timestamp":"2022-04-01T10:30:00.' + b"0" * LONGEST + b'x"}',
    ],
    ids=["no JSON", "area", "time"],
)
def test_megabytes_that_are_wrong_hold_the_process_for_no_longer_than_it_takes_to_read_them(
    body: bytes,
) -> None:
    assert refused(body, most=10_000).status in {400, 422}
    assert min(seconds(lambda: refused(body, most=10_000)) for _ in range(5)) < 0.04


def seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began
