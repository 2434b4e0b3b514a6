"""The stack's processes, found by a mark in their environment.

A mark outlives supervisord, pid files and sockets: whatever was killed, what is left of a stack can
be found and ended. This module is imported before each part starts, so it stays light.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

HOME_MARK: Final = "TAXI_STACK"
PART_MARK: Final = "TAXI_STACK_PART"


def marks(home: Path, part: str = "") -> dict[str, str]:
    """The environment that marks a process as belonging to the stack of `home`."""
    return {HOME_MARK: str(home)} | ({PART_MARK: part} if part else {})


def leftovers(home: Path, part: str = "", data: Path | None = None) -> list[psutil.Process]:
    """Running processes of the stack (or of one part) and their descendants, parents first.

    `data` finds those that lost their mark as well: Postgres writes its title over its environment
    and works in its data folder. The caller and its ancestors are never among them.
    """
    wanted = marks(home, part).items()
    me = psutil.Process()
    own = {me, *me.parents()}
    found: dict[psutil.Process, None] = {}
    for process in psutil.process_iter():
        if process not in own and _belongs(process, wanted, data):
            found |= dict.fromkeys([process, *_descendants(process)])
    return [process for process in found if process not in own]


def parts_of(processes: Iterable[psutil.Process]) -> dict[str, int]:
    """The first process of each part among them."""
    pids: dict[str, int] = {}
    for process in processes:
        try:
            part = process.environ().get(PART_MARK)
        except (psutil.Error, OSError):
            continue
        if part:
            pids.setdefault(part, process.pid)
    return pids


def end(processes: Iterable[psutil.Process], grace: float) -> None:
    """Ask them to end, and kill what is still there after `grace` seconds (0: at once)."""
    alive = list(processes)
    if grace:
        for process in alive:
            _signal(process, kill=False)
        alive = _wait(alive, grace)
    for process in alive:
        _signal(process, kill=True)
    _wait(alive, 10)


def _wait(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that are still there after at most `seconds`.

    Unlike psutil's own, it counts a zombie as gone: in a container, nobody may ever reap it.
    """
    deadline = time.monotonic() + seconds
    alive = [process for process in processes if _is_alive(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.02)
        alive = [process for process in alive if _is_alive(process)]
    return alive


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _belongs(process: psutil.Process, wanted: Iterable[tuple[str, str]], data: Path | None) -> bool:
    try:
        if not _is_alive(process):
            return False
        if data and process.name() == "postgres" and process.cwd() == str(data):
            return True
        return wanted <= process.environ().items()  # type: ignore[operator]
    except (psutil.Error, OSError):  # another user's, or gone meanwhile
        return False


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return


def describe(pid: int) -> str:
    """The process as a person would look for it: its number and the start of its command line.

    With the home of the stack that it is of, if any. Empty for a process that is just ending.
    """
    try:
        process = psutil.Process(pid)
        words, home = process.cmdline(), _home(process)
    except psutil.AccessDenied:
        return f"process {pid}"
    except psutil.NoSuchProcess:
        return ""
    command = " ".join(Path(word).name if word.startswith("/") else word for word in words)
    of_stack = f" of the stack in {home}" if home else ""
    return f"process {pid} ({command[:80]}){of_stack}" if command else ""


def _home(process: psutil.Process) -> str:
    """The home of the stack that a process is of, by its own mark or an ancestor's; else empty."""
    for each in [process, *process.parents()]:
        try:
            if home := each.environ().get(HOME_MARK):
                return home
        except (psutil.Error, OSError):
            continue
    return ""
