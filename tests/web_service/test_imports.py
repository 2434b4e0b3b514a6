"""The service needs the project's own dependencies, and no group's."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

# Imports what it is told, where all that an installation without groups lacks cannot be found.
PROGRAM = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in absent:
            return self.finder.find_spec(name, path, target)

absent = set(sys.argv[2].split())
sys.meta_path = [Without(finder) for finder in sys.meta_path]
for module in sys.argv[1].split():
    __import__(module)
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & absent, loaded & absent
print("mlflow" in loaded)
"""


def own_distributions(root: Path) -> set[str]:
    """The distributions that `[project] dependencies` bring, directly and through each other."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted, found = [Requirement(line) for line in project["dependencies"]], set[str]()
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop().name).lower()
        if name not in found:
            found.add(name)
            needs = map(Requirement, distribution(name).requires or [])
            wanted += [one for one in needs if not one.marker or one.marker.evaluate({"extra": ""})]
    return found | {"taxi-duration"}


def absent_modules(root: Path) -> set[str]:
    """The top-level modules of this environment that the service's own would not have."""
    own = own_distributions(root)
    return {
        module
        for module, owners in packages_distributions().items()
        if not own & {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners}
    }


def imported(root: Path, modules: str) -> str:
    absent = " ".join(absent_modules(root))
    command = [sys.executable, "-c", PROGRAM, modules, absent]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_the_service_may_not_need_is_known(root: Path) -> None:
    absent = absent_modules(root)
    assert {"pandas", "pyarrow", "sklearn", "boto3", "matplotlib", "alembic", "evidently"} <= absent
    assert not {"flask", "lightgbm", "msgspec", "numpy", "scipy", "httpx"} & absent


@pytest.mark.parametrize(
    "modules", ["duration_service taxi_duration.registry.champion", "taxi_duration.client"]
)
def test_the_service_and_its_client_need_no_groups_packages_and_no_mlflow(
    root: Path, modules: str
) -> None:
    assert imported(root, modules) == "False"
