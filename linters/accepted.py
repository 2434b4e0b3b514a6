"""Findings that somebody looked at and accepted, each with the reason, in accepted.toml."""

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ACCEPTED: Final = Path(__file__).with_name("accepted.toml")
Key = tuple[str, ...]


def accepted(kind: str, fields: tuple[str, ...], path: Path = ACCEPTED) -> dict[Key, str]:
    """The reasons by what identifies each finding; ends the program where an entry is not whole."""
    reasons = {}
    for entry in tomllib.loads(path.read_text()).get(kind, []):
        if set(entry) != {*fields, "reason"} or not entry["reason"].strip():
            sys.exit(f"{path.name}: each [[{kind}]] has {', '.join(fields)} and reason: {entry}")
        reasons[tuple(str(entry[field]) for field in fields)] = entry["reason"]
    return reasons


def held(lock: str, path: Path = ACCEPTED) -> set[str]:
    """The packages of a lock that another one holds at their version, whatever is found in them."""
    entries = tomllib.loads(path.read_text()).get("held", [])
    return {package for each in entries if each["lock"] == lock for package in each["packages"]}


def entry(kind: str, fields: tuple[str, ...], key: Key) -> str:
    """What to add to accepted.toml for a finding, but for the reason."""
    lines = [f'{field} = "{value}"' for field, value in zip(fields, key, strict=True)]
    return "\n".join([f"[[{kind}]]", *lines, 'reason = "…"'])


def stale(reasons: dict[Key, str], found: Iterable[Key]) -> list[str]:
    """A line for each accepted finding that is there no more."""
    gone = sorted(reasons.keys() - set(found))
    return [f"No longer found, take it out of accepted.toml: {' '.join(key)}" for key in gone]
