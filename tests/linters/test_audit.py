"""What pip-audit answers is judged: known, new, gone, or not looked up at all."""

import re
from pathlib import Path
from typing import Any

from linters.accepted import held
from linters.audit import CONTROL, answering, pip_audit, problems, without_held

HOLE = {"id": "PYSEC-1", "aliases": ["CVE-1", "GHSA-1"], "fix_versions": ["2.0"]}
KEY = ("old", "1.0", "PYSEC-1")


def package(**more: Any) -> dict[str, Any]:
    return {"name": "old", "version": "1.0", "vulns": [], **more}


def test_a_new_finding_is_told_with_what_to_write_where_it_has_to_be_accepted() -> None:
    told = problems([package(vulns=[HOLE])], {})
    assert told[0] == "old 1.0 PYSEC-1, mended in 2.0"
    assert 'id = "PYSEC-1"' in told[1]


def test_an_accepted_finding_may_go_by_any_of_its_names() -> None:
    assert problems([package(vulns=[HOLE])], {("old", "1.0", "CVE-1"): "why"}) == []


def test_an_accepted_finding_of_another_version_does_not_count() -> None:
    told = problems([package(vulns=[HOLE])], {("old", "0.9", "PYSEC-1"): "why"})
    assert told[0].startswith("old 1.0 PYSEC-1")
    assert told[-1] == "No longer found, take it out of accepted.toml: old 0.9 PYSEC-1"


def test_a_package_that_could_not_be_looked_up_is_a_problem() -> None:
    skipped = {"name": "old", "skip_reason": "not found on PyPI"}
    assert problems([package(), skipped], {}) == ["old: not found on PyPI"]


def test_a_database_that_knows_nothing_of_the_control_is_not_believed(tmp_path: Path) -> None:
    asked = []

    def ask(requirements: Path, service: str) -> list[dict[str, Any]]:
        asked.append((requirements.read_text().strip(), service))
        return [package(vulns=[HOLE] if service == "osv" else [])]

    assert answering(tmp_path, ask) == "osv"
    assert asked == [(CONTROL, "pypi"), (CONTROL, "osv")]
    assert answering(tmp_path, lambda *_: []) is None


def test_pip_audit_that_fails_answers_nothing(tmp_path: Path) -> None:
    assert pip_audit(tmp_path / "missing.txt", "pypi") == []


def test_what_is_found_in_a_package_that_another_one_holds_is_no_problem() -> None:
    packages = [package(vulns=[HOLE]), {**package(vulns=[HOLE]), "name": "ours"}]
    told = problems(without_held(packages, {"old"}), {})
    assert told[0] == "ours 1.0 PYSEC-1, mended in 2.0"
    assert len(told) == 2


def test_only_what_mage_itself_pins_is_held(root: Path) -> None:
    lock = "orchestration/requirements.txt"
    [metadata] = (root / "orchestration/.venv").glob("lib/*/site-packages/mage_ai-*/METADATA")
    pins = re.findall(
        r"^Requires-Dist: ([\w.-]+)(?:\[.*\])?==([\w.]+)$", metadata.read_text(), re.MULTILINE
    )
    locked = set(re.findall(r"^([\w.-]+)==([\w.]+)", (root / lock).read_text(), re.MULTILINE))
    pinned = {_plain(name): version for name, version in pins}
    assert held(lock) <= {name for name, version in pinned.items() if (name, version) in locked}
    assert "tornado" in held(lock)


def _plain(name: str) -> str:
    """A package's name as indexes write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
