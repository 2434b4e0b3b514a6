from datetime import datetime

import pytest

from taxi_duration.errors import SoqlError
from taxi_duration.simulation.conditions import And, Comparison, IsNull, Not, Or, window_of
from taxi_duration.simulation.query import ALL_COLUMNS, Order, Output
from taxi_duration.simulation.soql import parse_order, parse_select, parse_statement, parse_where
from taxi_duration.simulation.source import EVER, Window

JANUARY = datetime(2019, 1, 1)
FEBRUARY = datetime(2019, 2, 1)


def test_a_window_of_time_is_read_as_the_city_writes_it() -> None:
    text = (
        "trip_start_timestamp >= '2019-01-01T00:00:00.000'"
        " AND trip_start_timestamp < '2019-02-01T00:00:00'"
    )
    assert window_of(parse_where(text)) == Window(JANUARY, FEBRUARY)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        (
            "trip_start_timestamp between '2019-01-01' and '2019-01-31T23:59:59.999'",
            JANUARY,
            FEBRUARY,
        ),
        ("trip_start_timestamp = '2019-01-01'", JANUARY, datetime(2019, 1, 1, 0, 0, 0, 1000)),
        ("trip_start_timestamp < '2019-02-01' and fare > 3", EVER.start, FEBRUARY),
        ("trip_start_timestamp < '2019-02-01' or fare > 3", EVER.start, EVER.end),
        ("not trip_start_timestamp < '2019-02-01'", EVER.start, EVER.end),
    ],
)
def test_only_what_must_hold_narrows_the_days_to_look_at(
    text: str, start: datetime, end: datetime
) -> None:
    assert window_of(parse_where(text)) == Window(start, end)


def test_and_binds_closer_than_or_and_not_closer_than_and() -> None:
    a, b, c = (Comparison("fare", "=", value) for value in (1.0, 2.0, 3.0))
    assert parse_where("fare=1 or fare=2 and not fare=3") == Or(a, And(b, Not(c)))
    assert parse_where("(fare = 1 or fare = 2) and fare = 3") == And(Or(a, b), c)


def test_words_are_read_in_any_case_and_quotes_may_be_doubled() -> None:
    assert parse_where("Company = 'Joe''s' AND tips IS NOT NULL") == And(
        Comparison("company", "=", "Joe's"), Not(IsNull("tips"))
    )
    assert parse_where("`fare` in (1, '2')") == Or(
        Comparison("fare", "=", 1.0), Comparison("fare", "=", 2.0)
    )
    assert parse_where("fare <> -1.5") == Not(Comparison("fare", "=", -1.5))


def test_columns_get_their_names_from_aliases_or_from_what_they_count() -> None:
    assert parse_select("fare as dollars, tips t, :id") == (
        Output("dollars", "fare"),
        Output("t", "tips"),
        Output(":id", ":id"),
    )
    assert parse_select("count(*), max(trip_start_timestamp), MIN(fare) AS least") == (
        Output("count", None, "count"),
        Output("max_trip_start_timestamp", "trip_start_timestamp", "max"),
        Output("least", "fare", "min"),
    )
    assert parse_select(":*, *") == (Output(":id", ":id"), *ALL_COLUMNS)


def test_several_keys_order_the_rows() -> None:
    assert parse_order("trip_start_timestamp DESC, trip_id asc,:id") == (
        Order("trip_start_timestamp", descending=True),
        Order("trip_id"),
        Order(":id"),
    )


def test_a_whole_statement_is_read() -> None:
    query = parse_statement(
        "SELECT trip_id, fare WHERE fare > 10 ORDER BY fare DESC LIMIT 5 OFFSET 10"
    )
    assert [output.name for output in query.select] == ["trip_id", "fare"]
    assert query.where == Comparison("fare", ">", 10.0)
    assert (query.order, query.limit, query.offset) == ((Order("fare", descending=True),), 5, 10)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("colour = 'red'", "query.soql.no-such-column"),
        ("date_extract_hh(trip_start_timestamp) = 3", "query.soql.no-such-function"),
        ("fare > 'much'", "query.soql.type-mismatch"),
        ("trip_start_timestamp > 'yesterday'", "query.soql.type-mismatch"),
        ("trip_start_timestamp > 2019", "query.soql.type-mismatch"),
        ("company = 3", "query.soql.type-mismatch"),
        ("pickup_centroid_location = 'POINT (1 2)'", "query.soql.type-mismatch"),
        ("fare >", "query.compiler.malformed"),
        ("fare = 1 fare = 2", "query.compiler.malformed"),
        ("(fare = 1", "query.compiler.malformed"),
        ("fare = 'open", "query.compiler.malformed"),
        ("fare ~ 3", "query.compiler.malformed"),
        ("", "query.compiler.malformed"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_citys_code(text: str, code: str) -> None:
    with pytest.raises(SoqlError) as caught:
        parse_where(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("fare, count(*)", "query.soql.column-not-in-group-bys"),
        ("fare, tips as fare", "query.soql.duplicate-alias"),
        ("avg(fare)", "query.soql.no-such-function"),
        ("fare as", "query.compiler.malformed"),
    ],
)
def test_columns_that_cannot_be_given_are_refused(text: str, code: str) -> None:
    with pytest.raises(SoqlError) as caught:
        parse_select(text)
    assert caught.value.code == code


def test_a_refusal_says_where_the_query_could_not_be_read() -> None:
    with pytest.raises(SoqlError, match="character 8") as caught:
        parse_where("fare > > 3")
    assert caught.value.data == {"position": {"row": 1, "column": 8, "line": "fare > > 3"}}
