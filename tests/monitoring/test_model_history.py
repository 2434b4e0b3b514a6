from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.model_history import (
    append,
    changes,
    former,
    history,
    periods,
)
from taxi_duration.registry.versions import Change
from taxi_duration.settings import Settings

BEGIN = datetime(2019, 4, 1, tzinfo=UTC)


def change(number: str, hours: int = 0, **changes: Any) -> Change:
    facts: dict[str, Any] = {
        "alias": "champion",
        "former": "",
        "version": number,
        "action": "promote",
        "by": "ada@desk",
        "reason": "It is better.",
        "at": BEGIN + timedelta(hours=hours),
    }
    return Change(**(facts | changes))


def line(story: str) -> list[Change]:
    """`1 2 <1` are two promotions and a rollback to the first; `-` takes the alias away."""
    return [
        change(word.strip("<-"), hour, action="rollback" if word.startswith("<") else "promote")
        for hour, word in enumerate(story.split())
    ]


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("", ""),
        ("1", ""),
        ("1 2", "1"),
        ("1 2 3", "2"),
        ("1 2 3 <2", "1"),
        ("1 2 3 <2 <1", ""),
        ("1 2 <1 3", "1"),
        ("1 2 1", "2"),
        ("1 2 1 3 <1", "2"),
        ("1 2 -", "2"),
        ("1 2 - 3", "2"),
        ("1 2 3 2 <3", "1"),
        ("1 2 3 2 <3 <1", ""),
        ("1 2 3 2 <3 2", "3"),
        ("1 2 1 - <1", "2"),
        ("1 2 1 <2", ""),
        ("2 1 2 3 1 <3 <2", ""),
    ],
)
def test_a_rollback_goes_back_and_never_to_what_was_rolled_back(story: str, expected: str) -> None:
    assert former(line(story)) == expected


def test_a_version_serves_until_the_next_one() -> None:
    first, second, third = periods(line("1 2 <1"))
    assert (first.until, second.until, third.until) == (second.since, third.since, None)
    assert [each.version for each in (first, second, third) if each.held_at(BEGIN)] == ["1"]
    assert second.held_at((BEGIN + timedelta(minutes=90)).replace(tzinfo=None))
    assert third.held_at(BEGIN + timedelta(days=300))


def test_the_periods_of_two_aliases_do_not_end_each_other() -> None:
    found = periods([change("1"), change("2", 1, alias="challenger"), change("3", 2)])
    assert found[0].until == BEGIN + timedelta(hours=2)
    assert found[1].until is None


@pytest.mark.stack
def test_what_was_added_is_read_again_in_order(database: Settings) -> None:
    told = [change("1", run_id="parent"), change("", 1, former="1", alias="challenger")]
    with connect(database) as connection:
        for each in told:
            append(connection, "taxi", each)
        append(connection, "another", change("9"))
        assert changes(connection, "taxi") == told
        assert changes(connection, "taxi", "champion") == told[:1]
    [period] = history(database.model_copy(update={"model_name": "another"}))
    assert (period.version, period.until) == ("9", None)


@pytest.mark.stack
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE monitoring.model_history SET reason = 'another'",
        "DELETE FROM monitoring.model_history",
        "TRUNCATE monitoring.model_history",
    ],
)
def test_nobody_changes_or_removes_a_row(database: Settings, statement: str) -> None:
    with connect(database) as connection:
        append(connection, "taxi", change("1"))
    with pytest.raises(DBAPIError, match="append-only"), connect(database) as connection:
        connection.execute(text(statement))
    with connect(database) as connection:
        assert changes(connection, "taxi") == [change("1")]
