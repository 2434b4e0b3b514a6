"""Terraform and its AWS provider as this machine has them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from terraform_project import PLUGIN_FOLDERS, Terraform, copy, plugin_folder


@pytest.fixture(scope="session")
def plugins() -> Path:
    """The folder with the provider; tests of Terraform skip where there is none."""
    if not shutil.which("terraform"):
        pytest.skip("there is no `terraform` here")
    found = plugin_folder()
    if not found:
        pytest.skip(
            f"no AWS provider in {', '.join(PLUGIN_FOLDERS)}: "
            "`terraform -chdir=infrastructure providers mirror DIR` and TF_PLUGIN_DIR=DIR"
        )
    return found


@pytest.fixture(scope="session")
def project(
    root: Path, plugins: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Terraform]:
    """Makes Terraform for a folder of infrastructure/, in a copy that is prepared without state."""
    made = copy(root / "infrastructure", tmp_path_factory.mktemp("terraform"))

    def prepare(folder: str) -> Terraform:
        terraform = Terraform(made / folder, plugins)
        terraform.init("-backend=false")
        return terraform

    return prepare
