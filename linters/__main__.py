"""Run the checks that are named, or all: two at a time, with a line each and the remedy."""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

from linters.checks import CHECKS, ROOT, UNKNOWN, Check, UnlistedError, listed, possible

AT_A_TIME: Final = 2
State = Literal["fine", "failed", "not checked"]
MARKS: Final[dict[State, str]] = {"fine": "✓", "failed": "✗", "not checked": "?"}


@dataclass(frozen=True)
class Result:
    """How one check ended; `text` is what there is to say: its output, or why it was not made."""

    check: Check
    state: State
    seconds: float
    text: str = ""

    def __str__(self) -> str:
        head = f"{MARKS[self.state]} {self.check.name:<18}{self.seconds:5.1f} s"
        if self.state == "fine":
            return head
        if self.state == "not checked":
            return f"{head}  not checked: {self.text.strip()}"
        output = "".join(f"    {line}\n" for line in self.text.strip().splitlines())
        return f"{head}  failed\n{output}  → {self.check.remedy}"


def run(check: Check) -> Result:
    """Make one check."""
    started = time.monotonic()
    if not possible(check):
        return Result(check, "not checked", 0.0, f"{check.lacking}.")
    try:
        files = listed(ROOT, *check.files) if check.files else []
    except UnlistedError as error:
        return Result(check, "not checked", 0.0, str(error))
    if check.files and not files:
        return Result(check, "fine", 0.0)
    done = subprocess.run(
        [*check.command, *files],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    states: dict[int, State] = {0: "fine", UNKNOWN: "not checked"}
    state = states.get(done.returncode, "failed")
    return Result(check, state, time.monotonic() - started, done.stdout)


def lint(checks: Sequence[Check], *, strict: bool) -> bool:
    """Whether all went well; strict: whether all could be made, too."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        results = []
        for result in pool.map(run, checks):
            print(result, flush=True)
            results.append(result)
    return not any(
        result.state == "failed" or (strict and result.state == "not checked") for result in results
    )


def main() -> None:
    """Exit with 1 where a check failed."""
    checks = {check.name: check for check in CHECKS}
    parser = argparse.ArgumentParser(prog="python -m linters", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CHECK", help=", ".join(checks))
    parser.add_argument("--strict", action="store_true", help="fail where one cannot be made")
    given = parser.parse_args()
    if unknown := set(given.names) - checks.keys():
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    chosen = [checks[name] for name in given.names] or CHECKS
    sys.exit(not lint(chosen, strict=given.strict))


if __name__ == "__main__":
    main()
