import gc
import socket
import time
import weakref
from collections.abc import Iterator

import pytest
from gunicorn.config import Config

from duration_service.connection import Connection, MemorySocket
from duration_service.heads import Heads
from duration_service.limits import Limits
from taxi_duration.settings import Settings


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


def test_a_connection_that_ended_is_freed_without_the_collector_of_garbage(
    ends: tuple[MemorySocket, socket.socket], settings: Settings
) -> None:
    here = ("127.0.0.1", 9_696)
    connection = Connection(Config(), Heads(Config()), ends[0].real, here, here)
    connection.received += b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    connection.give(connection.arrived(Limits.of(settings)) or 0)
    assert next(connection.parser).path == "/"
    ended = weakref.ref(connection)
    gc.disable()
    try:
        del connection
        assert ended() is None
    finally:
        gc.enable()


def test_empty_lines_before_a_request_are_skipped_however_many_a_read_brings(
    ends: tuple[MemorySocket, socket.socket],
) -> None:
    config = Config()
    limits = Limits.of(Settings())
    took = []
    for _ in range(5):
        connection = Connection(config, Heads(config), ends[0].real, None, None)
        connection.received += b"\r\n" * 131_072 + b"GET / HTTP/1.1\r\n\r\n"
        began = time.thread_time()
        assert connection.arrived(limits) == 18
        took.append(time.thread_time() - began)
        assert connection.received.startswith(b"GET ")
    assert min(took) < 0.005
