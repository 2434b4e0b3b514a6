"""Each module by itself: its own Terraform tests, with a provider that is played."""

import re
from collections.abc import Callable

import pytest

from terraform_project import Terraform

pytestmark = pytest.mark.terraform


@pytest.mark.parametrize("module", ["alarms", "balancer", "instance", "lambda", "server"])
def test_a_module_keeps_what_its_tests_promise(
    project: Callable[[str], Terraform], module: str
) -> None:
    said = project(f"modules/{module}").run("test", "-no-color")
    assert re.search(r"Success! \d+ passed, 0 failed", said), said
