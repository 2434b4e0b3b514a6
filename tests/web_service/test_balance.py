"""What processes know of each other's connections, and leave to each other."""

import os

from duration_service.balance import MOST_IN_VAIN, PLACES, ConnectionCounts, Share


def test_a_process_leaves_the_next_connection_to_one_that_has_clearly_fewer() -> None:
    counts = ConnectionCounts()
    own = Share(1, counts)
    counts.tell(2, 3)
    counts.tell(3, 9)
    assert own.leaves_next(5)
    assert not own.leaves_next(4)
    assert not own.leaves_next(0)


def test_what_is_clear_grows_with_the_connections() -> None:
    counts = ConnectionCounts()
    counts.tell(2, 90)
    assert not Share(1, counts).leaves_next(100)
    assert Share(1, counts).leaves_next(110)


def test_a_process_that_is_alone_or_whose_others_left_takes_all() -> None:
    counts = ConnectionCounts()
    own = Share(1, counts)
    own.tell(50)
    assert not own.leaves_next(50)
    other = Share(2, counts)
    other.tell(0)
    assert own.leaves_next(50)
    other.leave()
    assert not own.leaves_next(50)


def test_nothing_is_left_to_one_that_is_held_up_until_it_moves() -> None:
    counts = ConnectionCounts()
    own = Share(1, counts)
    counts.tell(2, 1)
    left = [own.leaves_next(20 + n) for n in range(MOST_IN_VAIN + 5)]
    assert left == [True] * MOST_IN_VAIN + [False] * 5
    counts.tell(2, 2)
    assert own.leaves_next(40)


def test_connections_are_sent_to_one_that_has_less_than_half_as_many() -> None:
    def excess(own: int, other: int) -> int:
        counts = ConnectionCounts()
        counts.tell(2, other)
        return Share(1, counts).excess(own)

    assert [excess(own, 0) for own in (0, 1, 2, 16)] == [0, 0, 1, 8]
    assert [excess(own, 7) for own in (8, 15, 16)] == [0, 0, 4]


def test_a_process_that_is_alone_sends_nobody_away() -> None:
    assert Share(1, ConnectionCounts()).excess(100) == 0


def test_as_many_are_sent_away_as_are_above_the_mean_of_all() -> None:
    counts = ConnectionCounts()
    own = Share(1, counts)
    counts.tell(2, 0)
    counts.tell(3, 30)
    assert own.excess(30) == 10
    counts.tell(3, 90)
    assert own.excess(30) == 0


def test_one_at_a_time_is_sent_to_those_that_took_none() -> None:
    counts = ConnectionCounts()
    own = Share(1, counts)
    counts.tell(2, 1)
    assert [own.excess(21) for _ in range(3)] == [10, 1, 1]
    counts.tell(2, 2)
    assert own.excess(20) == 9


def test_ages_may_be_larger_than_there_are_places() -> None:
    counts = ConnectionCounts()
    counts.tell(PLACES * 7 + 3, 2)
    assert counts.others(1) == [2]
    assert counts.others(3) == []
    counts.leave(PLACES * 7 + 3)
    assert counts.others(1) == []


def test_a_process_that_was_forked_off_tells_the_others() -> None:
    counts = ConnectionCounts()
    child = os.fork()
    if child == 0:
        counts.tell(1, 7)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert counts.others(2) == [7]
