"""Terraform is called with the environment's files, the images and what the installation adds."""

import pytest

from delivery.errors import DeliveryError
from delivery.terraform import Terraform

pytestmark = pytest.mark.slow  # starts Terraform many times


def test_an_environment_that_was_never_applied_has_no_outputs(terraform: Terraform) -> None:
    assert terraform.outputs() == {}


def test_an_apply_takes_the_images_the_environment_s_file_and_what_the_installation_adds(
    terraform: Terraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERRAFORM_STAGING", '{"further": "told"}')
    terraform.apply({"mage": "one"})
    outputs = terraform.outputs()
    assert (outputs["name"], outputs["further"]) == ("taxi-staging", "told")
    assert outputs["images"] == {"mage": "one"}


def test_a_plan_tells_what_would_change_and_changes_nothing(terraform: Terraform) -> None:
    terraform.apply({"mage": "one"})
    assert "1 to add, 2 to change, 1 to destroy" in terraform.plan({"mage": "two"})
    assert "No changes" in terraform.plan({"mage": "one"})


def test_one_module_can_be_brought_first_without_the_rest(terraform: Terraform) -> None:
    terraform.apply({"mage": "one"})
    terraform.apply({"mage": "two"}, target="module.provision")
    outputs = terraform.outputs()
    assert outputs["provision_task"]["task_definition"] == "two"
    assert outputs["images"] == {"mage": "one"}


def test_an_apply_that_fails_leaves_the_former_images_named(terraform: Terraform) -> None:
    terraform.apply({"mage": "one"})
    with pytest.raises(DeliveryError, match="terraform apply failed in staging"):
        terraform.apply({"mage": "unhealthy"})
    assert terraform.outputs()["images"] == {"mage": "one"}
