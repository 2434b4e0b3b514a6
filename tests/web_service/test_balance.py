"""What processes know of each other's connections."""

import os

from duration_service.balance import PLACES, ConnectionCounts


def test_a_process_knows_whether_another_has_fewer() -> None:
    counts = ConnectionCounts()
    counts.tell(1, 5)
    counts.tell(2, 3)
    assert counts.any_below(4)
    assert not counts.any_below(3)


def test_one_that_left_is_not_counted() -> None:
    counts = ConnectionCounts()
    counts.tell(1, 0)
    counts.leave(1)
    assert not counts.any_below(1_000)


def test_ages_may_be_larger_than_there_are_places() -> None:
    counts = ConnectionCounts()
    counts.tell(PLACES * 7 + 3, 2)
    assert counts.any_below(3)
    counts.leave(PLACES * 7 + 3)
    assert not counts.any_below(3)


def test_a_process_that_was_forked_off_tells_the_others() -> None:
    counts = ConnectionCounts()
    child = os.fork()
    if child == 0:
        counts.tell(1, 7)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert counts.any_below(8)
    assert not counts.any_below(7)
