"""What reviewers and operators read."""

from pathlib import Path

import pytest

from delivery.summary import MOST, plan_comment, summarize


def test_the_run_s_page_gets_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page := tmp_path / "summary.md"))
    summarize("one")
    summarize("two")
    assert page.read_text() == "one\n\ntwo\n\n"
    assert capsys.readouterr().out == "one\ntwo\n"


def test_without_such_a_page_it_is_only_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    summarize("one")
    assert capsys.readouterr().out == "one\n"


def test_a_plan_is_folded_under_its_counts() -> None:
    told = plan_comment("staging", "x\nPlan: 1 to add, 0 to change, 0 to destroy.\n")
    assert told.startswith("### Terraform in staging: Plan: 1 to add, 0 to change, 0 to destroy.")
    assert "No changes" in plan_comment("staging", "No changes. All is as it should be.\n")


def test_a_plan_cannot_leave_its_fence() -> None:
    told = plan_comment("staging", "````\n</details> @everyone\n")
    assert "`````text\n````" in told
    assert told.rstrip().endswith("`````\n\n</details>")


def test_two_long_plans_fit_into_one_comment() -> None:
    told = plan_comment("staging", "x" * 10 * MOST)
    assert len(told) * 2 < 65_536
    assert "the rest is in the job's log" in told
