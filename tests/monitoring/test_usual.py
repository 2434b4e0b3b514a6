from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from taxi_duration.monitoring.live_window import PAIR_SCHEMA
from taxi_duration.monitoring.usual import missing_share, pair_counts, same_hours, unseen_share

# A Monday.
MONDAY = datetime(2019, 3, 4)


def trips(*hours: int) -> pa.Table:
    """Trips at so many hours after Monday's midnight."""
    starts = [MONDAY + timedelta(hours=hour) for hour in hours]
    return pa.table({"trip_start_timestamp": pa.array(starts, pa.timestamp("us"))})


def hours(found: pa.Table) -> list[int]:
    """The same hours, in order."""
    starts = sorted(found["trip_start_timestamp"].to_pylist())
    return [int((start - MONDAY) / timedelta(hours=1)) for start in starts]


def pairs(*rows: tuple[int | None, int | None, int]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(zip(PAIR_SCHEMA.names, row, strict=True)) for row in rows], PAIR_SCHEMA
    )


def test_the_reference_is_of_the_hours_that_were_asked_about_in_their_shares() -> None:
    reference = trips(*range(200), *[5] * 99, *[30] * 99)
    found = hours(same_hours(reference, trips(5, 5, 5, 30), 80, seed=1))
    assert len(found) == 80
    # Hour 173 is hour 5 of the next Monday.
    assert sum(hour in (5, 173) for hour in found) == 60
    assert found.count(30) + found.count(198) == 20


def test_the_same_seed_takes_the_same_trips() -> None:
    reference = trips(*range(168)).append_column("n", pa.array(range(168)))
    asked = trips(*range(168))
    assert same_hours(reference, asked, 50, 1).equals(same_hours(reference, asked, 50, 1))


def test_an_hour_that_the_reference_does_not_have_has_no_part() -> None:
    assert hours(same_hours(trips(1, 1, 2), trips(1, 9), 10, seed=1)) == [1, 1]
    assert same_hours(trips(1), trips(9), 10, seed=1).num_rows == 0


def test_shares_are_of_trips_not_of_pairs() -> None:
    asked = pairs((8, 32, 90), (8, None, 5), (None, None, 3), (8, 9, 2))
    assert missing_share(asked) == pytest.approx(0.08)
    assert unseen_share(asked, pairs((8, 32, 1))) == pytest.approx(0.02)


def test_without_trips_there_is_no_share() -> None:
    assert missing_share(pairs()) is None
    assert unseen_share(pairs(), pairs((8, 32, 1))) is None


def test_pairs_are_counted() -> None:
    table = pa.table(
        {"pickup_community_area": [8, 8, None], "dropoff_community_area": [32, 32, 1]},
        PAIR_SCHEMA.remove(2),
    )
    counts = {tuple(row.values()) for row in pair_counts(table).to_pylist()}
    assert counts == {(8, 32, 2), (None, 1, 1)}
