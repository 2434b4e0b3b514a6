"""What the linters' environment holds does not depend on the order in which it was installed."""

from collections import defaultdict
from importlib.metadata import distributions
from pathlib import Path

import pytest


@pytest.mark.slow
def test_no_module_comes_with_two_packages(root: Path) -> None:
    owners = defaultdict(set)
    for folder in (root / "linters" / ".venv" / "lib").glob("python3.*/site-packages"):
        for package in distributions(path=[str(folder)]):
            for file in package.files or ():
                if file.suffix == ".py":
                    owners[str(file)].add(package.name)
    assert owners
    assert not {file: names for file, names in owners.items() if len(names) > 1}
