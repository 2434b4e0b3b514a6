"""The maturity table claims nothing that it does not show."""

import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def rows(root: Path) -> list[list[str]]:
    lines = (root / "docs" / "maturity.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return [row for row in cells if len(row) == 4 and row[0] not in ("the fault", "characteristic")]


def test_every_level_has_its_table(root: Path) -> None:
    levels = re.findall(
        r"^## Level (\d)", (root / "docs" / "maturity.md").read_text(), re.MULTILINE
    )
    assert levels == list("01234")


def test_every_characteristic_says_whether_it_is_met(rows: list[list[str]]) -> None:
    told = [row for row in rows if not set(row[0]) <= {"-", " "}]
    assert len(told) > 30
    assert all(re.match(r"met|built|\*\*not met\*\*", row[1]) for row in told)


def test_what_is_met_names_a_file_and_a_test(rows: list[list[str]]) -> None:
    for row in (row for row in rows if row[1].startswith("met")):
        assert "](" in row[2], row
        assert re.search(r"\]\(\.\./tests/[\w/]+\.py\)", row[3]), row
