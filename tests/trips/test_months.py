from datetime import date, datetime

import pytest

from taxi_duration.errors import SettingsError
from taxi_duration.trips.months import Month


def test_a_month_reads_what_it_writes() -> None:
    assert str(Month.parse(" 2019-03 ")) == "2019-03"


@pytest.mark.parametrize(
    "text",
    ["", "2019", "2019-13", "2019-00", "2019-3", "03/2019", "0000-01", "9999-12", "201\u0669-03"],
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="no month"):
        Month.parse(text)


def test_months_are_counted_over_the_turn_of_the_year() -> None:
    assert Month(2019, 1) - 2 == Month(2018, 11)
    assert Month(2018, 11) + 14 == Month(2020, 1)
    assert Month(2018, 11).to(Month(2019, 1)) == [Month(2018, 11), Month(2018, 12), Month(2019, 1)]
    assert Month(2019, 2).to(Month(2019, 1)) == []


def test_a_month_begins_at_its_first_moment_and_ends_before_the_next() -> None:
    assert Month.of(date(2020, 2, 29)) == Month(2020, 2)
    assert len(Month(2020, 2).days) == 29
    assert Month(2020, 12).end == datetime(2021, 1, 1) == Month(2021, 1).start
