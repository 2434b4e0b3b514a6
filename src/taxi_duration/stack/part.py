"""What the stack has to know of one of its parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


def _nothing() -> None:
    """For parts that need no preparation."""


@dataclass(frozen=True)
class Part:
    """One supervised process and all that hangs on it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    healthy: Callable[[], bool]
    # The setting that moves it -> the ports that it listens on.
    ports: Mapping[str, Sequence[int]]
    url: str
    # Parts that must be healthy before this one starts.
    needs: tuple[str, ...] = ()
    # Before each start of the stack, with the part not running; and each time it became healthy.
    prepare: Callable[[], None] = _nothing
    settle: Callable[[], None] = _nothing
    stop_signal: str = "TERM"
    # Seconds until it has to be healthy.
    patience: float = 120
    # Folder that the process works in, where that tells it from every other process.
    data: Path | None = None
    # File that a killed process leaves and that would keep the next one from starting.
    lock: Path | None = None


def in_order(parts: Sequence[Part]) -> list[list[Part]]:
    """The parts in waves: each needs only what earlier waves hold."""
    waves: list[list[Part]] = []
    placed: set[str] = set()
    names = {part.name for part in parts}
    waiting = list(parts)
    while waiting:
        wave = [part for part in waiting if names & set(part.needs) <= placed]
        if not wave:
            raise ValueError(f"Parts that need each other: {[part.name for part in waiting]}.")
        waves.append(wave)
        placed |= {part.name for part in wave}
        waiting = [part for part in waiting if part.name not in placed]
    return waves
