"""What a workflow shows: on the page of its run, and as a comment."""

import os
import re
from pathlib import Path
from typing import Final

# A comment takes 65,536 characters.
MOST: Final = 60_000
COUNTS: Final = re.compile(r"^(Plan: .*|No changes\..*)$", re.MULTILINE)


def summarize(text: str) -> None:
    """Add to the page of the workflow's run; where there is none, only print."""
    print(text, flush=True)
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(text + "\n\n")


def plan_comment(environment: str, plan: str) -> str:
    """A plan, folded under the line that counts its changes."""
    counted = COUNTS.search(plan)
    head = counted.group(1) if counted else "Nothing counted"
    shown = (
        plan if len(plan) <= MOST // 2 else plan[: MOST // 2] + "\n… the rest is in the job's log"
    )
    # A fence that is longer than any in the plan cannot be closed by it.
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", shown)), default=0))
    return (
        f"### Terraform in {environment}: {head}\n\n<details><summary>The plan</summary>\n\n"
        f"{fence}text\n{shown.strip()}\n{fence}\n\n</details>\n"
    )
