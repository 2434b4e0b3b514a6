"""The configuration by itself: its form, its types, and what it would make."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from terraform_project import Terraform

pytestmark = pytest.mark.terraform


def test_the_configuration_is_formatted(root: Path, plugins: Path) -> None:
    Terraform(root / "infrastructure", plugins).run("fmt", "-check", "-diff", "-recursive")


@pytest.mark.parametrize("folder", [".", "bootstrap"])
def test_the_configuration_is_valid(project: Callable[[str], Terraform], folder: str) -> None:
    assert "The configuration is valid" in project(folder).run("validate", "-no-color")


def test_what_would_be_made_is_as_the_tests_of_terraform_say(
    project: Callable[[str], Terraform],
) -> None:
    said = project(".").run("test", "-no-color")
    assert re.search(r"Success! \d+ passed, 0 failed", said), said


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_an_environment_says_its_name_once(root: Path, environment: str) -> None:
    folder = root / "infrastructure" / "environments"
    name = f"taxi-duration-{environment}"
    assert (folder / f"{environment}.tfvars").read_text().count(name) == 1
    assert name not in (folder / f"{environment}.s3.tfbackend").read_text()
