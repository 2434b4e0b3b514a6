"""Look for secrets in all that git does not ignore; what is none is listed in accepted.toml.

Runs in the linters' environment. Nothing that was found is shown or sent anywhere.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

from linters.accepted import ACCEPTED, Key, accepted, entry, stale
from linters.checks import UNKNOWN, UnlistedError, listed

FIELDS: Final = ("kind", "sha1")
# Hashes and pictures look random by their nature.
SKIPPED: Final = re.compile(
    r"(\.lock|\.lock\.hcl|package-lock\.json|requirements\.txt|linters/accepted\.toml|\.png|\.gz|\.ico)$"
)
# Words that stand for a secret wherever one is explained.
PLACEHOLDER: Final = re.compile(r"(user|password|secret|token|PASSWORD|\W)*")
# Secrets of this project are random and long; a test's are words, or too short to be any.
WORDS: Final = re.compile(r"[a-z]+([ -][a-z]+)*|.{1,4}")
# Terraform's files have sentences, references, names, calls and maps where a secret is meant.
MEANT: Final = re.compile(r"\S+( \S+){3,}|[a-z_]+(\.\w+)+|[A-Z_]+|arn:.*|\w+\(|\{.*")
CHECKSUM: Final = r"sha256\W+[0-9a-f]{64}\W*$"


def tracked(root: Path) -> list[str]:
    """All text files but those that git ignores or that look random by their nature."""
    return [file for file in listed(root) if not SKIPPED.search(file)]


def found(root: Path) -> Iterator[tuple[Key, str]]:
    """What looks like a secret: what identifies it wherever it stands, and where it stands."""
    secrets = SecretsCollection(root=str(root))
    with default_settings() as settings:
        settings.filters["detect_secrets.filters.regex.should_exclude_line"] = {
            "pattern": [CHECKSUM]
        }
        secrets.scan_files(*tracked(root))
    for file, secret in secrets:
        if not harmless(file, secret.secret_value or ""):
            yield (secret.type, secret.secret_hash), f"{file}:{secret.line_number}"


def harmless(file: str, value: str) -> bool:
    """Whether it is a placeholder, a word in a test, or what Terraform has in a secret's place."""
    if PLACEHOLDER.fullmatch(value):
        return True
    terraform = file.endswith((".tf", ".hcl"))
    if terraform and MEANT.fullmatch(value):
        return True
    return (terraform or file.startswith("tests/")) and bool(WORDS.fullmatch(value))


def main() -> None:
    """Exit with 1 where a finding is new or gone, with 75 where git does not list the files."""
    parser = argparse.ArgumentParser(prog="python -m linters.find_secrets", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path.cwd())
    parser.add_argument("--accepted", type=Path, default=ACCEPTED)
    given = parser.parse_args()
    reasons = accepted("secret", FIELDS, given.accepted)
    try:
        findings = dict(found(given.root.resolve()))
    except UnlistedError as error:
        print(error)
        sys.exit(UNKNOWN)
    problems = [
        f"{place}: {key[0]}. Where it is none:\n{entry('secret', FIELDS, key)}"
        for key, place in findings.items()
        if key not in reasons
    ]
    problems += stale(reasons, findings)
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
