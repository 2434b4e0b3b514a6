"""Have Docker Compose read docker-compose.yml, with a value for each secret of .env.example."""

import os
import re
import subprocess
import sys
from typing import Final

from linters.checks import ROOT

# The environment must not decide: neither its own settings nor a `.env` beside the file.
OUTSIDE: Final = re.compile(r"(TAXI|COMPOSE)_")


def filled(example: str) -> dict[str, str]:
    """All that the example sets, and a word for each secret, which it leaves empty."""
    lines = re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", example, re.MULTILINE)
    return {name: value or "filled" for name, value in lines}


def main() -> None:
    """Exit as Docker Compose does."""
    kept = {name: value for name, value in os.environ.items() if not OUTSIDE.match(name)}
    command = ["docker", "compose", "--env-file", os.devnull, "config", "--quiet"]
    environment = kept | filled((ROOT / ".env.example").read_text())
    sys.exit(subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode)


if __name__ == "__main__":
    main()
