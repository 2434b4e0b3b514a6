"""The one table of checks: `make lint` runs them all, pre-commit those that it names."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PROJECT: Final = ".venv/bin/"
LINTERS: Final = "linters/.venv/bin/"
# What a check exits with where it could not find out (EX_TEMPFAIL of sysexits.h).
UNKNOWN: Final = 75


class UnlistedError(Exception):
    """Git does not list a folder's files: it is no checkout, or one of another user."""


@dataclass(frozen=True)
class Check:
    """One program and what to do where it complains.

    `files` are the glob patterns of the files that it gets as arguments; without any it finds its
    own. `needs` is a command that succeeds where the check can be made at all, and `lacking` says
    what is missing where it does not.
    """

    name: str
    command: tuple[str, ...]
    remedy: str
    files: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    lacking: str = ""


# The long ones first: two run at a time.
CHECKS: Final = (
    Check(
        "types",
        (PROJECT + "mypy",),
        "Write the types that mypy asks for; `# type: ignore[code]` only with its reason.",
    ),
    Check(
        "vulnerabilities",
        (PROJECT + "python", "-m", "linters.audit"),
        "Raise the version and `make lock`. Where there is no better one, accept the finding with"
        " its reason in linters/accepted.toml.",
    ),
    Check(
        "secrets",
        (LINTERS + "python", "-m", "linters.find_secrets"),
        "Take the secret out, and change it wherever it is in use. What is none is told so with"
        " its reason in linters/accepted.toml.",
    ),
    Check("format", (PROJECT + "ruff", "format", "--check", "."), "make format"),
    Check("style", (PROJECT + "ruff", "check", "."), "`make format` mends what ruff can mend."),
    Check(
        "imports",
        (PROJECT + "lint-imports",),
        "Imports go one way, down the list in pyproject.toml: move the code, not the list.",
    ),
    Check("locks", (".tools/bin/poetry", "check", "--lock"), "make lock"),
    Check(
        "terraform",
        ("terraform", "fmt", "-check", "-diff", "-no-color"),
        "terraform fmt -recursive infrastructure",
        files=("*.tf", "*.tfvars", "*.tftest.hcl"),
        needs=("terraform", "version"),
        lacking="Terraform is not installed",
    ),
    Check(
        "security",
        (
            *(LINTERS + "checkov", "--directory", "infrastructure", "--framework", "terraform"),
            *("--quiet", "--compact", "--skip-download", "--download-external-modules", "false"),
        ),
        "Mend it, or write beside it why not: `#checkov:skip=CKV_AWS_1:the reason`.",
    ),
    Check(
        "dockerfiles",
        (LINTERS + "hadolint",),
        "Each rule is explained at https://github.com/hadolint/hadolint/wiki.",
        files=("Dockerfile", "*/Dockerfile*"),
    ),
    Check(
        "compose",
        (PROJECT + "python", "-m", "linters.compose"),
        "`docker compose config` shows what Compose understands; what it needs is in .env.example.",
        needs=("docker", "compose", "version"),
        lacking="Docker Compose is not installed",
    ),
    Check(
        "shell",
        (LINTERS + "shellcheck",),
        "Each rule is explained at https://www.shellcheck.net/wiki/.",
        files=("*.sh", ".ci/run"),
    ),
    Check(
        "workflows",
        (LINTERS + "actionlint", "-shellcheck", LINTERS + "shellcheck", "-pyflakes", ""),
        "Each rule is explained at https://github.com/rhysd/actionlint/blob/main/docs/checks.md.",
        files=(".github/workflows/*.yml",),
    ),
    Check(
        "workflow-security",
        (LINTERS + "zizmor", "--offline", "--no-progress", "--quiet", "--pedantic", ".github"),
        "Each rule is explained at https://docs.zizmor.sh/audits/.",
    ),
)


def possible(check: Check) -> bool:
    """Whether what the check needs is on this machine."""
    if not check.needs:
        return True
    if not shutil.which(check.needs[0]):
        return False
    return not subprocess.run(check.needs, check=False, capture_output=True).returncode


def listed(root: Path, *patterns: str) -> list[str]:
    """The files below `root` that git does not ignore: all, or those of glob patterns; in order.

    Raises UnlistedError with what git says.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]
    command += [f":(glob)**/{pattern}" for pattern in patterns]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    if done.returncode:
        raise UnlistedError(
            "git lists no files here (an unpacked archive needs `git init` first): "
            + done.stderr.strip()
        )
    return sorted({file for file in done.stdout.split("\0") if file and (root / file).is_file()})
