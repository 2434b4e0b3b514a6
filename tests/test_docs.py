"""What exists is documented, and what is documented exists."""

import re
from pathlib import Path

import click
import pytest

from taxi_duration.cli import main
from taxi_duration.cli.settings import markdown
from taxi_duration.settings import PREFIX, Settings


def pages(root: Path) -> list[Path]:
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def shell_lines(page: Path) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(), flags=re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def anchors(page: Path) -> set[str]:
    """What GitHub calls the page's headings in an address."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_the_page_of_settings_is_the_table_that_the_code_declares(root: Path) -> None:
    assert markdown() in (root / "docs" / "settings.md").read_text()


def test_every_setting_that_a_page_names_exists(root: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {"TAXI_STACK"}
    known |= set(re.findall(r"^#?(TAXI_\w+)=", (root / ".env.example").read_text(), re.MULTILINE))
    for page in pages(root):
        named = set(re.findall(r"\bTAXI_[A-Z0-9_]*[A-Z0-9]\b", page.read_text()))
        assert named <= known, page.name


def test_every_command_is_in_the_readme(root: Path) -> None:
    readme = (root / "README.md").read_text()
    missing = [
        name for name in main.list_commands(click.Context(main)) if f"taxi {name}" not in readme
    ]
    assert not missing


def test_every_taxi_command_that_a_page_shows_parses(root: Path) -> None:
    for page in pages(root):
        for line in shell_lines(page):
            words = re.sub(r"^(\w+=\S+ )+", "", line.split("#")[0]).split()
            if words[:1] != ["taxi"]:
                continue
            command = main.get_command(click.Context(main), words[1])
            assert command is not None, line
            command.make_context(words[1], words[2:], resilient_parsing=False)


@pytest.mark.parametrize("shown", ["README.md", "docs"])
def test_every_make_target_that_a_page_shows_exists(root: Path, shown: str) -> None:
    targets = set(
        re.findall(r"^([a-z][a-z-]*):", (root / "Makefile").read_text(), flags=re.MULTILINE)
    )
    for page in [root / shown] if shown.endswith(".md") else sorted((root / shown).rglob("*.md")):
        named = set(re.findall(r"`make ([a-z-]+)", page.read_text()))
        assert named <= targets, page.name


def test_links_between_pages_lead_somewhere(root: Path) -> None:
    for page in pages(root):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_links_to_a_heading_lead_to_one(root: Path) -> None:
    for page in pages(root):
        for link, heading in re.findall(r"\]\(([^)#:]*)#([^)]*)\)", page.read_text()):
            target = page.parent / link if link else page
            assert heading in anchors(target), f"{page.name}: {link}#{heading}"
