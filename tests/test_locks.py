"""The project's environment and Mage's share the package, so they must share its libraries."""

import re
import tomllib
from pathlib import Path

import pytest

# What fits models, reads and writes data frames, or travels from one environment to the other.
MUST_AGREE = (
    *("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "lightgbm", "mlflow-skinny"),
    *("evidently", "deltalake", "joblib", "threadpoolctl"),
)


def poetry_lock(root: Path) -> dict[str, set[str]]:
    """Versions by package name; a package may be there once a Python version."""
    packages = tomllib.loads((root / "poetry.lock").read_text())["package"]
    return by_name([(each["name"], each["version"]) for each in packages])


def mage_lock(root: Path) -> dict[str, set[str]]:
    text = (root / "orchestration" / "requirements.txt").read_text()
    return by_name(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, re.MULTILINE))


def by_name(pins: list[tuple[str, str]]) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for name, version in pins:
        versions.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(version)
    return versions


def pins_of_mage(root: Path) -> dict[str, str]:
    text = (root / "orchestration" / "requirements.in").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", text, re.MULTILINE))


def pins_of_the_project(root: Path) -> dict[str, str]:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    service = re.findall(
        r"([a-z0-9-]+) \(==([^)]+)\)", " ".join(project["project"]["dependencies"])
    )
    return {**dict(service), **project["tool"]["poetry"]["group"]["pipeline"]["dependencies"]}


def test_what_both_environments_ask_for_is_the_same_version(root: Path) -> None:
    mage, project = pins_of_mage(root), pins_of_the_project(root)
    both = mage.keys() & project.keys()
    assert len(both) > 10
    assert {name: mage[name] for name in both} == {name: project[name] for name in both}


def test_mage_has_every_library_of_the_pipeline(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    pipeline = project["tool"]["poetry"]["group"]["pipeline"]["dependencies"]
    assert pipeline.keys() <= pins_of_mage(root).keys()


@pytest.mark.parametrize("name", MUST_AGREE)
def test_both_locks_agree(root: Path, name: str) -> None:
    assert poetry_lock(root)[name] == mage_lock(root)[name]


def test_both_locks_hold_what_was_asked_for(root: Path) -> None:
    project, mage = poetry_lock(root), mage_lock(root)
    assert all(project[name] == {pin} for name, pin in pins_of_the_project(root).items())
    assert all(mage[name] == {pin} for name, pin in pins_of_mage(root).items())


def test_mage_s_lock_is_hashed(root: Path) -> None:
    text = (root / "orchestration" / "requirements.txt").read_text()
    pins = re.findall(r"^\S+==[^\n]*\\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-zA-Z0-9].*==", text, re.MULTILINE))
