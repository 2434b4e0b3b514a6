"""Bringing the parts up: each as soon as what it needs is healthy, so that they start together."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from taxi_duration.errors import StackError
from taxi_duration.stack.part import Part
from taxi_duration.stack.supervisor import Supervisor

_POLL_SECONDS: Final = 0.1
# A part that ends this often before it was healthy once will not become so.
_MOST_STARTS: Final = 3


@dataclass
class _Start:
    part: Part
    since: float = 0.0
    lives: set[int] = field(default_factory=set)


def start_parts(supervisor: Supervisor, parts: Sequence[Part], show: Callable[[str], None]) -> bool:
    """Start the parts that do not run and wait for all; False where all were healthy already.

    Says one line per part: its name, its state, the seconds it took and its address. Raises
    StackError with the end of the log of the first part that does not become healthy.
    """
    processes = supervisor.processes()
    waiting = {
        part.name: _Start(part)
        for part in parts
        if not processes[part.name]["pid"] or not part.healthy()
    }
    some = bool(waiting)
    while waiting:
        for start in _startable(waiting):
            if _became_healthy(supervisor, start):
                seconds = time.monotonic() - start.since
                show(f"  {start.part.name:<10} healthy  {seconds:5.1f} s   {start.part.url}")
                del waiting[start.part.name]
        time.sleep(_POLL_SECONDS)
    return some


def _startable(waiting: Mapping[str, _Start]) -> list[_Start]:
    """Those that wait for no other part any more."""
    return [
        start for start in waiting.values() if not any(need in waiting for need in start.part.needs)
    ]


def _became_healthy(supervisor: Supervisor, start: _Start) -> bool:
    process = supervisor.processes().get(start.part.name)
    if process is None:
        raise StackError("supervisord ended while the parts were starting.", "Start again.")
    if not start.since:
        _begin(supervisor, start, process["statename"])
        return False
    start.lives.add(process["start"])
    if process["pid"] and start.part.healthy():
        start.part.settle()
        return True
    if len(start.lives) > _MOST_STARTS:
        raise _failed(supervisor, start.part, f"ended {_MOST_STARTS} times while it started")
    if time.monotonic() - start.since > start.part.patience:
        raise _failed(supervisor, start.part, f"is not healthy after {start.part.patience:.0f} s")
    return False


def _begin(supervisor: Supervisor, start: _Start, state: str) -> None:
    start.since = time.monotonic()
    if state in {"STOPPED", "EXITED", "FATAL"}:
        start.part.prepare()
        supervisor.call("startProcess", start.part.name, False)


def _failed(supervisor: Supervisor, part: Part, what: str) -> StackError:
    log = supervisor.home / "logs" / f"{part.name}.log"
    return StackError(f"{part.name} {what}. The end of {log}:\n{_tail(log)}")


def _tail(log: Path, lines: int = 15) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
