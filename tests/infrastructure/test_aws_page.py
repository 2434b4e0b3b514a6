"""docs/aws.md names only what there is: variables, outputs, modules, commands, make targets."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from botocore import xform_name
from botocore.session import Session

from delivery.images import NAMES

# Of AWS's command line, what is made of several calls or of none.
CUSTOM = {("ecr", "get-login-password"), ("logs", "tail")}
MODES = ("staging", "production", "instance")


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "aws.md").read_text()


@pytest.fixture(scope="module")
def commands(page: str) -> str:
    return "\n".join(re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL)).replace("\\\n", "")


def declared(folder: Path, kind: str) -> set[str]:
    text = "\n".join(file.read_text() for file in folder.glob("*.tf"))
    return set(re.findall(rf'^{kind} "(\w+)"', text, flags=re.MULTILINE))


def rows(page: str, heading: str) -> Iterator[list[str]]:
    section = page.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]
    for line in re.findall(r"^\|(.*)\|$", section, flags=re.MULTILINE):
        yield [cell.strip() for cell in line.split("|")]


def test_every_output_that_a_command_reads_is_one(root: Path, commands: str) -> None:
    folders = {"infrastructure": set[str](), "infrastructure/bootstrap": set[str]()}
    pattern = r"terraform(?: -chdir=(\S+))? output -(?:raw|json) (\w+)"
    for folder, name in re.findall(pattern, commands):
        folders[folder or "infrastructure"].add(name)
    for folder, named in folders.items():
        assert named
        assert named <= declared(root / folder, "output"), folder


def test_every_variable_that_the_page_names_is_one(root: Path, page: str, commands: str) -> None:
    known = declared(root / "infrastructure", "variable")
    table = set[str]()
    for row in rows(page, "Variables"):
        table |= set(re.findall(r"`(\w+)`", row[0]))
    assert table
    assert table <= known
    given = re.search(r"TERRAFORM_STAGING='(.*?)'", commands)
    assert given
    assert set(json.loads(given[1])) <= known
    bootstrap = set(re.findall(r"bootstrap apply -var (\w+)=", commands))
    assert bootstrap <= declared(root / "infrastructure" / "bootstrap", "variable")


def test_the_page_has_all_modules_and_no_other(root: Path, page: str) -> None:
    there = {folder.name for folder in (root / "infrastructure" / "modules").iterdir()}
    named = {name for row in rows(page, "What is made") for name in re.findall(r"`(\w+)`", row[0])}
    assert named == there


def test_every_file_that_terraform_is_given_is_there(root: Path, page: str) -> None:
    named = re.findall(r"environments/[\w.]+", page)
    assert named
    assert all((root / "infrastructure" / file).is_file() for file in named)


def test_every_command_of_aws_is_one_with_these_options(commands: str) -> None:
    session = Session()
    asked = re.findall(r"\baws ([a-z0-9]+) ([a-z-]+)([^|\n;]*)", commands)
    assert len(asked) > 5
    for service, name, rest in asked:
        if (service, name) in CUSTOM:
            continue
        model = session.get_service_model(service)
        operations = {xform_name(each, "-"): each for each in model.operation_names}
        shape = model.operation_model(operations[name]).input_shape
        known = {xform_name(member, "-") for member in shape.members} | {"query", "output"}
        assert set(re.findall(r" --([a-z-]+)", rest.split('"')[0])) <= known, name


def test_every_make_target_in_a_command_is_one(root: Path, commands: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"^\$ make ([a-z-]+)", commands, flags=re.MULTILINE))
    assert named
    assert named <= targets


def test_the_costs_add_up(page: str) -> None:
    header, _, *items, last = rows(page, "What it costs")
    assert tuple(header[2:]) == MODES
    for column, mode in enumerate(MODES, start=2):
        total = int(last[column].strip("*"))
        assert total == sum(int(item[column]) for item in items), mode


def test_the_commands_build_every_image_that_is_pushed(root: Path, commands: str) -> None:
    services = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    makefile = (root / "Makefile").read_text()
    default = re.search(r"^IMAGES \?= (.*)$", makefile, flags=re.MULTILINE)
    given = re.search(r'\$ make images-build(?: IMAGES="(.*)")?$', commands, flags=re.MULTILINE)
    assert default
    assert given
    composed = set((given[1] or default[1]).split())
    assert composed <= {name for name, service in services.items() if "build" in service}
    alone = set(re.findall(r"docker build .*-t taxi-duration/([a-z-]+):local", commands))
    assert composed | alone == set(NAMES)
