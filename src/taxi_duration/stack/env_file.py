"""`make env`: the `.env` that Docker Compose reads, with secrets of its own.

It needs nothing but Python, so that a machine that has only Docker beside it can start the stack.
"""

import os
import re
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

# NAME=value, at the start of a line; an option, which is behind a #, is none.
_GIVEN: Final = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
_NEW: Final = "\n# New since this file was made:\n"


def make_env(example: Path, target: Path, draw: Callable[[], str] | None = None) -> list[str]:
    """Write `target` after `example`, for its owner only; returns the names that were added.

    What `target` has already stays as it is. A variable that is empty in the example gets a secret
    that `draw` draws (40 hexadecimal characters unless told); so does one that is empty in
    `target`, as nothing would start with it.
    """
    draw = draw or (lambda: secrets.token_hex(20))
    wanted = dict(_GIVEN.findall(example.read_text()))
    text = target.read_text() if target.exists() else ""
    there = {name for name, value in _GIVEN.findall(text) if value}
    missing = [name for name in wanted if name not in there]
    lines = {name: f"{name}={wanted[name] or draw()}" for name in missing}
    if not text:
        text = _GIVEN.sub(lambda found: lines[found[1]], example.read_text())
    else:
        text = _GIVEN.sub(lambda found: lines.pop(found[1], found[0]), text)
        text = text.rstrip("\n") + "\n" + (_NEW + "\n".join(lines.values()) + "\n") * bool(lines)
    if missing:
        _write(target, text)
    target.chmod(0o600)
    return missing


def _write(target: Path, text: str) -> None:
    """Whole or not at all, and never readable by others."""
    draft = target.with_name(f"{target.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(text)
    draft.replace(target)


def main(example: str = ".env.example", target: str = ".env") -> None:
    """Make or complete the file and say what was done, without the secrets."""
    added = make_env(Path(example), Path(target))
    said = f"added {', '.join(added)}" if added else "it has everything already"
    print(f"{target}: {said}.")  # noqa: T201  a tool of `make`, without the command's libraries


if __name__ == "__main__":
    main(*sys.argv[1:])
