"""The one instance is given all that docker-compose.yml asks for, and nothing that it does not."""

import re
from pathlib import Path

import pytest
import yaml

INSTANCE = "infrastructure/modules/instance"


@pytest.fixture(scope="module")
def compose(root: Path) -> str:
    return (root / "docker-compose.yml").read_text()


def test_every_secret_that_compose_asks_for_is_made(root: Path, compose: str) -> None:
    made = (root / "infrastructure" / "secrets.tf").read_text().split("instance_passwords = {")[1]
    assert set(re.findall(r"^ +(TAXI_\w+)", made.split("\n  }")[0], flags=re.MULTILINE)) == set(
        re.findall(r"\$\{(TAXI_\w+):\?", compose)
    )


def test_every_file_that_compose_mounts_is_fetched(root: Path, compose: str) -> None:
    declared = (root / INSTANCE / "variables.tf").read_text().split('variable "files"')[1]
    given = set(re.findall(r'"([\w./-]+\.\w+)",?$', declared.split("\n}")[0], flags=re.MULTILINE))
    assert given == {"docker-compose.yml", *re.findall(r"\./([^:\"]+):", compose)}
    assert all((root / file).is_file() for file in given)


def test_every_image_of_ours_in_compose_is_named_by_digest(root: Path, compose: str) -> None:
    ours = {
        name: re.sub(r".*/([\w-]+):.*", r"\1", service["image"])
        for name, service in yaml.safe_load(compose)["services"].items()
        if "TAXI_IMAGES" in service["image"]
    }
    text = (root / INSTANCE / "files.tf").read_text().split("services = {")[1].split("\n  }\n")[0]
    pattern = r'^ {4}([\w-]+) += \{\s+image += var\.images\["([\w-]+)"\]'
    assert dict(re.findall(pattern, text, flags=re.MULTILINE)) == ours
