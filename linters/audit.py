"""Look up every locked package in a vulnerability database; accepted.toml says what is known.

A database that does not answer, or that does not know what it must know, leads to exit code 75:
not checked. pip-audit by itself takes an index without vulnerability data for one without
vulnerabilities.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from linters.accepted import Key, accepted, entry, held, stale
from linters.checks import LINTERS, ROOT, UNKNOWN

FIELDS: Final = ("package", "version", "id")
# The database of PyPI itself, and that of OSV, which has the same entries.
SERVICES: Final = ("pypi", "osv")
# Its holes are public since 2014 (CVE-2014-1402): who does not know them knows nothing.
CONTROL: Final = "jinja2==2.4.1"


Packages = list[dict[str, Any]]
Ask = Callable[[Path, str], Packages]


def pip_audit(requirements: Path, service: str) -> Packages:
    """What the database says to each package of a requirements file; empty: it did not answer."""
    done = subprocess.run(
        [
            *(LINTERS + "pip-audit", "--requirement", str(requirements), "--disable-pip"),
            *("--no-deps", "--vulnerability-service", service, "--timeout", "15"),
            *("--format", "json", "--progress-spinner", "off"),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    try:
        packages: Packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        return []
    return packages


def answering(folder: Path, ask: Ask = pip_audit) -> str | None:
    """The first database that knows the control's vulnerabilities."""
    control = folder / "control.txt"
    control.write_text(CONTROL + "\n")
    knows = (name for name in SERVICES if any(findings(ask(control, name))))
    return next(knows, None)


def findings(packages: Packages) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Each vulnerability with what identifies it."""
    for package in packages:
        for vulnerability in package.get("vulns", []):
            yield (package["name"], package["version"], vulnerability["id"]), vulnerability


def locks(folder: Path) -> list[Path]:
    """All that is ever installed: the project's lock, Mage's and the linters'."""
    project = folder / "project.txt"
    export = [".tools/bin/poetry", "export", "--all-groups", "--output", str(project)]
    subprocess.run(export, cwd=ROOT, check=True)
    return [project, ROOT / "orchestration/requirements.txt", ROOT / "linters/requirements.txt"]


def without_held(packages: Packages, names: set[str]) -> Packages:
    """The packages, but those of these names without what was found in them."""
    return [{**each, "vulns": []} if each["name"] in names else each for each in packages]


def problems(packages: Packages, reasons: dict[Key, str]) -> list[str]:
    """What is neither known nor accepted, what could not be looked up, and what is gone."""
    found = dict(findings(packages))
    lines = [
        f"{package['name']}: {package['skip_reason']}"
        for package in packages
        if "skip_reason" in package
    ]
    for key, vulnerability in sorted(found.items()):
        if not reasons.keys() & _names(key, vulnerability):
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            lines += [f"{' '.join(key)}, mended in {fixed}", entry("vulnerability", FIELDS, key)]
    known = {name for key, vulnerability in found.items() for name in _names(key, vulnerability)}
    return lines + stale(reasons, known)


def _names(key: Key, vulnerability: dict[str, Any]) -> set[Key]:
    """A vulnerability goes by several names: PYSEC-…, CVE-…, GHSA-…."""
    return {(*key[:2], name) for name in (key[2], *vulnerability.get("aliases", []))}


def _audited(lock: Path, service: str) -> Packages:
    names = held(str(lock.relative_to(ROOT))) if lock.is_relative_to(ROOT) else set[str]()
    return without_held(pip_audit(lock, service), names)


def main() -> None:
    """Exit with 1 where a finding is new or gone, with 75 where nobody could be asked."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as pool:
        folder = Path(name)
        service = answering(folder)
        if service is None:
            print("neither PyPI's database nor OSV can be asked from here.")
            sys.exit(UNKNOWN)
        audited = pool.map(lambda lock: _audited(lock, service), locks(folder))
        packages = [package for lock in audited for package in lock]
    if lines := problems(packages, accepted("vulnerability", FIELDS)):
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
