"""`make lint` says which check failed and how to mend it, and which could not be made."""

import sys
from pathlib import Path

import pytest

from linters import __main__ as linters
from linters.checks import CHECKS, Check, listed


def check(script: str = "", **options: object) -> Check:
    return Check("sample", (sys.executable, "-c", script), "Turn it round.", **options)  # type: ignore[arg-type]


def test_a_check_that_passes_is_one_line() -> None:
    result = linters.run(check("print('all is well')"))
    assert result.state == "fine"
    assert len(str(result).splitlines()) == 1


def test_a_failed_check_is_shown_with_its_output_and_the_remedy() -> None:
    told = str(linters.run(check("print('wrong way'); exit(2)")))
    assert told.startswith("✗ sample")
    assert "wrong way" in told
    assert told.endswith("→ Turn it round.")


def test_what_a_check_lacks_is_told() -> None:
    result = linters.run(check(needs=("no-such-program",), lacking="Nothing is installed"))
    assert result.state == "not checked"
    assert "not checked: Nothing is installed." in str(result)


def test_a_check_that_could_not_find_out_is_neither_fine_nor_failed() -> None:
    result = linters.run(check("print('nobody answers'); exit(75)"))
    assert (result.state, result.text) == ("not checked", "nobody answers\n")


def test_in_an_unpacked_archive_what_needs_the_list_of_files_is_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linters, "ROOT", tmp_path)
    result = linters.run(check(files=("*.sh",)))
    assert result.state == "not checked"
    assert "not a git repository" in result.text
    assert "`git init`" in result.text


@pytest.mark.parametrize(
    ("script", "strict", "fine"),
    [("", True, True), ("exit(1)", False, False), ("exit(75)", 0, True), ("exit(75)", 1, False)],
)  # fmt: skip
def test_only_what_failed_fails_unless_all_has_to_be_checked(
    script: str, strict: bool, fine: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert linters.lint([check(), check(script)], strict=strict) is fine


def test_a_check_that_is_not_in_the_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["linters", "stile"])
    with pytest.raises(SystemExit, match="2"):
        linters.main()


def test_files_are_found_by_their_pattern_in_every_folder(root: Path) -> None:
    named = {check.name: check for check in CHECKS}
    shell = listed(root, *named["shell"].files)
    assert {".ci/run", "orchestration/start.sh", "experiment-tracking/start.sh"} <= set(shell)
    assert not [file for file in shell if ".venv" in file]
