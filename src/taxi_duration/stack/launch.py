"""`python -m taxi_duration.stack.launch PART.json`: what supervisord runs for each part.

It ends what an earlier life of the part left behind (children of a killed server would hold its
port, or schedule beside the next one), then becomes the part. The command and its secrets come in
a file that only the owner reads, so that neither is in supervisord's configuration.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from taxi_duration.stack.part import Part
from taxi_duration.stack.processes import HOME_MARK, PART_MARK, end, leftovers, marks


def spec_path(part: str) -> str:
    """Where a part's file lies in the home."""
    return f"run/{part}.json"


def write_spec(part: Part, home: Path, base: Mapping[str, str]) -> None:
    """Write what `main` needs to become `part`, readable by the owner only.

    `base` is the environment that all parts share.
    """
    spec = {
        "command": part.command,
        "environment": {**base, **part.environment, **marks(home, part.name)},
        "data": str(part.data or ""),
        "lock": str(part.lock or ""),
    }
    path = home / spec_path(part.name)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(spec))


def main(path: Path) -> None:
    """Clear the ground and become the part that the file at `path` describes."""
    spec = json.loads(path.read_text())
    environment = spec["environment"]
    data = Path(spec["data"]) if spec["data"] else None
    end(leftovers(Path(environment[HOME_MARK]), environment[PART_MARK], data), grace=0)
    if spec["lock"]:
        Path(spec["lock"]).unlink(missing_ok=True)
    command = spec["command"]
    os.execvpe(command[0], command, environment)  # noqa: S606  the part replaces this process


if __name__ == "__main__":
    main(Path(sys.argv[1]))
