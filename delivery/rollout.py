"""Bring images to an environment, ask it, and go back to the former ones if it does not answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from delivery.errors import DeliveryError, ReturnedError, StrandedError
from delivery.terraform import Images

# Makes the task that makes the databases, and what that needs: no server starts without them.
FIRST = "module.provision"


class Environment(Protocol):
    """What `Terraform` does."""

    def outputs(self) -> dict[str, Any]: ...  # noqa: D102
    def apply(self, images: Images, target: str | None = None) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class Steps:
    """How an environment is changed and judged."""

    environment: Environment
    provision: Callable[[Mapping[str, Any]], None]
    release: Callable[[Mapping[str, Any]], str | None]
    smoke: Callable[[str], None]
    tell: Callable[[str], None]


def roll_out(steps: Steps, images: Images) -> None:
    """Bring these images; where a step fails, the former ones, and say so.

    Raises ReturnedError where the former images serve again, StrandedError where they do not
    either, and the step's own DeliveryError where there is nothing to go back to.
    """
    former: Images = steps.environment.outputs().get("images") or {}
    changed = sorted(name for name in images if images[name] != former.get(name))
    steps.tell(f"New: {', '.join(changed) or 'no image'}.")
    try:
        _bring(steps, images)
    except DeliveryError as failure:
        if not former:
            raise DeliveryError(
                f"{failure} Nothing served before, so nothing to go back to."
            ) from failure
        if former == images:
            raise DeliveryError(f"{failure} These images served before as well.") from failure
        steps.tell(f"{failure} Going back to the former images.")
        _go_back(steps, former, failure)


def _bring(steps: Steps, images: Images) -> None:
    steps.environment.apply(images, target=FIRST)
    steps.provision(steps.environment.outputs())
    _apply_and_ask(steps, images)


def _apply_and_ask(steps: Steps, images: Images) -> None:
    steps.environment.apply(images)
    outputs = steps.environment.outputs()
    function_url = steps.release(outputs)
    for url in (outputs["service_url"], function_url):
        if url:
            steps.smoke(url)


def _go_back(steps: Steps, former: Images, failure: DeliveryError) -> None:
    try:
        _apply_and_ask(steps, former)
    except DeliveryError as second:
        raise StrandedError(
            f"{failure} The way back failed too: {second} A person has to look."
        ) from second
    raise ReturnedError(f"{failure} The former images serve again.") from failure
