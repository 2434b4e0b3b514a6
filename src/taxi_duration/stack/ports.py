"""Whether the ports that the parts need are free, and who has them where they are not."""

import errno
import socket
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import psutil

from taxi_duration.errors import PortTakenError
from taxi_duration.stack.part import Part
from taxi_duration.stack.processes import describe

_UNKNOWN: Final = "a process of another user"
_PATIENCE_SECONDS: Final = 3.0


# A part, the setting that moves it, the port that it cannot have, and who has it.
Conflict = tuple[Part, str, int, str]


def check_ports(parts: Sequence[Part], host: str) -> None:
    """Raise PortTakenError naming every port that is not free, its setting and who listens."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while conflicts := list(_conflicts(parts, host)):
        # A killed server holds its ports for a moment after it can no longer be told whose it was.
        if time.monotonic() > deadline or not any(who == _UNKNOWN for *_, who in conflicts):
            raise PortTakenError(
                "\n".join(_lines(conflicts)),
                "\nEnd what listens there (a stack: `TAXI_HOME=<its folder> taxi down`), or set the"
                " setting to a port that is free.",
            )
        time.sleep(0.1)


def _lines(conflicts: Sequence[Conflict]) -> Iterator[str]:
    """A line for each setting and process, however many of its ports are taken."""
    for (name, setting, who), group in groupby(conflicts, lambda c: (c[0].name, c[1], c[3])):
        ports = ", ".join(str(port) for _, _, port, _ in group)
        yield f"Port {ports} ({setting}, for {name}) is taken by {who}."


def _conflicts(parts: Sequence[Part], host: str) -> Iterator[Conflict]:
    owners: dict[int, str] = {}
    for part in parts:
        for setting, ports in part.ports.items():
            for port in ports:
                if port in owners:
                    yield part, setting, port, f"the stack itself ({owners[port]})"
                elif port > 65535:
                    yield part, setting, port, "nobody, but no port is above 65535"
                elif not is_free(port, host):
                    pid = _owner(port)
                    yield part, setting, port, (pid and describe(pid)) or _UNKNOWN
                owners.setdefault(port, f"{setting}, for {part.name}")


def is_free(port: int, host: str) -> bool:
    """Whether a server could listen on `host` and `port` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that was closed a moment ago is no reason to refuse.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _owner(port: int) -> int | None:
    """The process that listens on `port`, or else has opened a connection from it.

    None where the system does not tell.
    """
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS, for all but root
        return None
    there = [each for each in connections if each.pid and each.laddr[1:] == (port,)]
    there.sort(key=lambda connection: connection.status != psutil.CONN_LISTEN)
    return there[0].pid if there else None
