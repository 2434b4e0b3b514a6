from hypothesis import given
from hypothesis import strategies as st

from taxi_duration.trips.months import Month
from taxi_duration.trips.windows import windows

MONTHS = st.builds(Month, st.integers(2013, 2030), st.integers(1, 12))


@given(MONTHS, st.integers(1, 10_000_000))
def test_the_parts_of_a_cap_add_up_and_differ_by_one_at_most(month: Month, cap: int) -> None:
    parts = [window.most or 0 for window in windows(month, cap)]
    assert sum(parts) == cap
    if cap >= len(month.days):
        assert len(parts) == len(month.days)
        assert max(parts) - min(parts) <= 1


@given(MONTHS)
def test_without_a_cap_every_day_is_asked_for_whole(month: Month) -> None:
    days = windows(month, 0)
    assert [window.day for window in days] == month.days
    assert {window.most for window in days} == {None}


def test_neighbouring_windows_meet_without_overlap() -> None:
    last, first = windows(Month(2023, 12), 0)[-1].query, windows(Month(2024, 1), 0)[0].query
    assert last.where.endswith("trip_start_timestamp < '2024-01-01T00:00:00'")
    assert first.where.startswith("trip_start_timestamp >= '2024-01-01T00:00:00'")
    assert (last.dataset, first.dataset) == ("wrvz-psew", "ajtu-isnz")
