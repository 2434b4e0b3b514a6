"""New images serve if they answer; if not, the former ones do, in a state that Terraform made."""

from collections.abc import Mapping
from typing import Any

import pytest

from delivery.errors import DeliveryError, ReturnedError, StrandedError
from delivery.rollout import Steps, roll_out
from delivery.terraform import Terraform

pytestmark = pytest.mark.slow  # starts Terraform many times


class Town:
    """Where images are brought: some fail their smoke test, some their provision task."""

    def __init__(self, terraform: Terraform) -> None:
        self.terraform = terraform
        self.provisioned: list[str] = []
        self.asked: list[str] = []
        self.told: list[str] = []
        self.silent: set[str] = set()
        self.function = False

    def provision(self, outputs: Mapping[str, Any]) -> None:
        image = outputs["provision_task"]["task_definition"]
        self.provisioned.append(image)
        if image == "unprovisioned":
            raise DeliveryError("The provision task failed.")

    def release(self, outputs: Mapping[str, Any]) -> str | None:
        image = outputs["images"]["mage"]
        if image == "unreleased":
            raise DeliveryError("The function does not answer.")
        return f"https://function-{image}.example.com" if self.function else None

    def smoke(self, url: str) -> None:
        self.asked.append(url)
        if any(image in url for image in self.silent):
            raise DeliveryError(f"The smoke test of {url} failed.")

    def bring(self, image: str) -> None:
        steps = Steps(self.terraform, self.provision, self.release, self.smoke, self.told.append)
        roll_out(steps, {"mage": image})

    def serving(self) -> str:
        return str(self.terraform.outputs()["images"]["mage"])


@pytest.fixture
def town(terraform: Terraform) -> Town:
    return Town(terraform)


def test_images_that_answer_serve(town: Town) -> None:
    town.bring("one")
    town.bring("two")
    assert town.serving() == "two"
    assert town.provisioned == ["one", "two"]
    assert town.asked == ["https://one.example.com", "https://two.example.com"]
    assert town.told[-1] == "New: mage."


def test_the_databases_are_made_before_any_server_has_the_new_image(town: Town) -> None:
    town.bring("one")
    with pytest.raises(ReturnedError, match="The provision task failed"):
        town.bring("unprovisioned")
    assert town.serving() == "one"
    assert town.asked[-1] == "https://one.example.com"


def test_a_function_is_asked_beside_the_service(town: Town) -> None:
    town.function = True
    town.bring("one")
    assert town.asked == ["https://one.example.com", "https://function-one.example.com"]
    town.silent = {"function-two"}
    with pytest.raises(ReturnedError, match="function-two"):
        town.bring("two")


@pytest.mark.parametrize("image", ["mute", "unhealthy", "unreleased"])
def test_after_a_failed_apply_release_or_smoke_test_the_former_images_serve_again(
    town: Town, image: str
) -> None:
    town.silent = {"mute"}
    town.bring("one")
    with pytest.raises(ReturnedError, match="The former images serve again"):
        town.bring(image)
    assert town.serving() == "one"
    assert town.asked[-1] == "https://one.example.com"


def test_a_way_back_that_fails_asks_for_a_person(town: Town) -> None:
    town.bring("one")
    town.silent = {"one", "two"}
    with pytest.raises(StrandedError, match="A person has to look"):
        town.bring("two")


def test_the_first_images_have_nothing_to_go_back_to(town: Town) -> None:
    town.silent = {"one"}
    with pytest.raises(DeliveryError, match="nothing to go back to") as failure:
        town.bring("one")
    assert type(failure.value) is DeliveryError


def test_images_that_served_before_are_not_gone_back_to(town: Town) -> None:
    town.bring("one")
    town.silent = {"one"}
    with pytest.raises(DeliveryError, match="served before as well"):
        town.bring("one")
    assert town.told[-1] == "New: no image."
