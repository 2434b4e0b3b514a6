"""Groups of pairs whose intervals have margins of their own."""

from datetime import datetime

import numpy as np
import pytest

from taxi_duration.areas import LOOP, MIDWAY, OHARE
from taxi_duration.model.features import Floats, feature_row
from taxi_duration.model.groups import (
    GROUPS,
    pair_groups,
    pair_number,
    pair_numbers,
    seen_pairs,
)

NOON = datetime(2019, 3, 1, 12)


def trips(*pairs: tuple[int | None, int | None]) -> Floats:
    return np.vstack([feature_row(pickup, dropoff, NOON) for pickup, dropoff in pairs])


@pytest.mark.parametrize(
    ("pickup", "dropoff", "group"),
    [
        (None, None, "nothing known"),
        (None, OHARE, "pickup unknown"),
        (OHARE, None, "dropoff unknown"),
        (OHARE, LOOP, "from an airport"),
        (LOOP, MIDWAY, "to an airport"),
        (LOOP, LOOP, "short"),
        (1, 55, "farther"),
    ],
)
def test_a_seen_pair_belongs_to_the_group_of_its_places(
    pickup: int | None, dropoff: int | None, group: str
) -> None:
    features = trips((pickup, dropoff))
    number = pair_number(*features[0, :2])
    assert GROUPS[pair_groups(seen_pairs(features))[number]] == group
    assert GROUPS[pair_groups(None)[number]] == group


def test_a_pair_that_was_not_seen_is_a_group_of_its_own() -> None:
    groups = pair_groups(seen_pairs(trips((LOOP, OHARE), (None, LOOP))))
    for other in trips((OHARE, LOOP), (LOOP, None), (None, None), (8, 8)):
        assert GROUPS[groups[pair_number(*other[:2])]] == "unseen pair"
    assert (groups != GROUPS.index("unseen pair")).sum() == 2


def test_pairs_are_told_once_each_by_the_numbers_of_their_areas() -> None:
    features = trips((LOOP, OHARE), (LOOP, 8), (LOOP, OHARE), (None, 8), (8, None))
    assert seen_pairs(features) == {0: (8,), 8: (0,), LOOP: (8, OHARE)}


def test_no_trips_saw_no_pair() -> None:
    assert seen_pairs(trips((LOOP, OHARE))[:0]) == {}
    assert set(pair_groups({})) == {GROUPS.index("unseen pair")}


def test_every_pair_has_a_number_of_its_own() -> None:
    areas = [None, *range(1, 78)]
    features = trips(*((pickup, dropoff) for pickup in areas for dropoff in areas))
    numbers = pair_numbers(features)
    assert sorted(numbers) == list(range(78 * 78))
    assert [pair_number(*row[:2]) for row in features] == numbers.tolist()
