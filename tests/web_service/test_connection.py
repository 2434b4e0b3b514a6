import socket
from collections.abc import Iterator

import pytest

from duration_service.connection import MemorySocket


@pytest.fixture
def ends() -> Iterator[tuple[MemorySocket, socket.socket]]:
    """The service's end of a connection, and that of a caller."""
    service, caller = socket.socketpair()
    service.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    caller.settimeout(5)
    with service, caller:
        yield MemorySocket(service), caller


def test_what_is_written_waits_for_the_flush_and_goes_out_in_order(
    ends: tuple[MemorySocket, socket.socket],
) -> None:
    memory, caller = ends
    memory.sendall(b"head ")
    memory.sendall(b"body")
    caller.setblocking(False)
    with pytest.raises(BlockingIOError):
        caller.recv(1)
    memory.flush()
    assert caller.recv(100) == b"head body"
    assert memory.unsent == []


def test_an_answer_that_nobody_takes_blocks_nobody_and_goes_on_where_it_stopped(
    ends: tuple[MemorySocket, socket.socket],
) -> None:
    memory, caller = ends
    parts = [bytes([n]) * 1_000 for n in range(200)]
    for part in parts:
        memory.sendall(part)
    memory.flush()
    assert memory.unsent
    taken = bytearray()
    while len(taken) < 200_000:
        taken += caller.recv(65_536)
        memory.flush()
    assert taken == b"".join(parts)
    assert memory.unsent == []


def test_a_caller_that_is_gone_is_told_of_as_an_error(
    ends: tuple[MemorySocket, socket.socket],
) -> None:
    memory, caller = ends
    caller.close()
    memory.sendall(b"answer")
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        memory.flush()


def test_what_came_is_read_in_pieces_and_then_ends(
    ends: tuple[MemorySocket, socket.socket],
) -> None:
    memory, _ = ends
    memory.incoming = memoryview(b"abcde")
    assert [memory.recv(2) for _ in range(4)] == [b"ab", b"cd", b"e", b""]
