"""The stand-ins and the stack that they serve, compared without an engine."""

import re
from pathlib import Path
from typing import Any

import yaml

from containers.compose_stack import OWN_IMAGES, STAND_INS

LEFT_OUT = {"grafana"}


class Compose(yaml.SafeLoader):
    """Reads Compose's own tags as what they are put on."""


def sequence(loader: Compose, node: yaml.SequenceNode) -> list[Any]:
    return list(loader.construct_sequence(node))


Compose.add_constructor("!override", sequence)


def services(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.load(path.read_text(), Compose)["services"]  # noqa: S506
    return found


def test_every_image_that_is_pulled_has_a_stand_in_or_is_left_out(root: Path) -> None:
    stack = services(root / "docker-compose.yml")
    pulled = {name for name, each in stack.items() if "TAXI_IMAGES" not in each["image"]}
    assert pulled == set(STAND_INS)
    instead = services(root / "tests/containers/compose.stand-ins.yml")
    assert set(instead) == pulled | LEFT_OUT
    built = {name for name, each in stack.items() if "build" in each}
    assert built == {*OWN_IMAGES, *LEFT_OUT}


def test_every_stand_in_is_a_target_of_their_dockerfile(root: Path) -> None:
    dockerfile = (root / "tests/containers/stand-ins/Dockerfile").read_text()
    targets = set(re.findall(r"^FROM .* AS (\S+)$", dockerfile, flags=re.MULTILINE))
    instead = services(root / "tests/containers/compose.stand-ins.yml")
    assert {instead[name]["build"]["target"] for name in STAND_INS} < targets
