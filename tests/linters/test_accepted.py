"""A finding that is accepted says why, and goes from the list when it is gone."""

from pathlib import Path

import pytest

from linters.accepted import Key, accepted, entry, stale

FIELDS = ("package", "id")
KEY = ("old", "CVE-1")


def written(folder: Path, text: str) -> Path:
    (path := folder / "accepted.toml").write_text(text)
    return path


def test_an_entry_is_read_as_it_is_proposed(tmp_path: Path) -> None:
    path = written(tmp_path, entry("vulnerability", FIELDS, KEY))
    assert accepted("vulnerability", FIELDS, path) == {KEY: "…"}
    assert accepted("secret", FIELDS, path) == {}


@pytest.mark.parametrize("reason", ["", 'reason = " "', 'reason = "x"\nversion = "1"'])
def test_an_entry_without_a_reason_or_with_more_is_refused(tmp_path: Path, reason: str) -> None:
    path = written(tmp_path, f'[[vulnerability]]\npackage = "old"\nid = "CVE-1"\n{reason}')
    with pytest.raises(SystemExit, match="package, id and reason"):
        accepted("vulnerability", FIELDS, path)


def test_an_accepted_finding_that_is_gone_is_told() -> None:
    reasons: dict[Key, str] = {KEY: "known", ("new", "CVE-2"): "known"}
    assert stale(reasons, [KEY]) == ["No longer found, take it out of accepted.toml: new CVE-2"]
