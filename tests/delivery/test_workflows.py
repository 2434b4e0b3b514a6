"""The workflows take nothing on trust, and call only what there is."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from taxi_duration.cli import main

PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
HERE = "$/.github/workflows/"


def workflows(root: Path) -> list[Path]:
    return sorted((root / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=["cd", "ci", "deploy", "train"])
def workflow(root: Path, request: pytest.FixtureRequest) -> dict[Any, Any]:
    path = root / ".github" / "workflows" / f"{request.param}.yml"
    return {"text": path.read_text(), **yaml.safe_load(path.read_text())}


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


def scripts(workflow: dict[Any, Any]) -> str:
    return "\n".join(step["run"] for step in steps(workflow) if "run" in step)


def test_all_workflows_are_looked_at_here(root: Path) -> None:
    assert {path.stem for path in workflows(root)} == {"cd", "ci", "deploy", "train"}


def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(
    workflow: dict[Any, Any],
) -> None:
    used = re.findall(r"^\s*-? *uses: (.+)$", workflow["text"], re.MULTILINE)
    assert used
    assert not [uses for uses in used if not uses.startswith(HERE) and not PINNED.match(uses)]


def test_one_action_has_one_version_everywhere(root: Path) -> None:
    text = "".join(path.read_text() for path in workflows(root))
    pins = set(re.findall(r"uses: ([\w./-]+)@(\S+ # \S+)", text))
    assert len(pins) == len({action for action, _ in pins})


def test_no_job_has_a_right_that_it_does_not_name(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {}
    assert all(job["permissions"] for job in workflow["jobs"].values())


def test_no_checkout_leaves_its_token_behind(workflow: dict[Any, Any]) -> None:
    checkouts = [s for s in steps(workflow) if s.get("uses", "").startswith("actions/checkout")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_scripts_get_what_comes_from_outside_by_the_environment_only(
    workflow: dict[Any, Any],
) -> None:
    assert "${{" not in scripts(workflow)


def test_code_of_a_fork_never_runs_with_secrets(workflow: dict[Any, Any]) -> None:
    # YAML takes the key `on` for true.
    assert "pull_request_target" not in workflow[True]
    if "pull_request" in workflow[True]:
        assert "secrets." not in workflow["text"]
        for job in workflow["jobs"].values():
            if "id-token" in job["permissions"]:
                assert "head.repo.full_name == github.repository" in job["if"]


def test_no_long_lived_key_of_aws_is_used(workflow: dict[Any, Any]) -> None:
    assert not re.search(r"aws-(secret-)?access-key|AWS_(SECRET_)?ACCESS_KEY", workflow["text"])


def test_a_deploy_is_never_cut_off_and_never_runs_beside_another(root: Path) -> None:
    text = (root / ".github/workflows/deploy.yml").read_text()
    concurrency = yaml.safe_load(text)["jobs"]["deploy"]["concurrency"]
    assert concurrency == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}


def test_production_gets_the_digests_of_staging_and_only_after_it(root: Path) -> None:
    jobs = yaml.safe_load((root / ".github/workflows/cd.yml").read_text())["jobs"]
    assert "staging" in jobs["production"]["needs"]
    assert jobs["production"]["uses"] == jobs["staging"]["uses"]
    assert jobs["production"]["with"]["digests"] == jobs["staging"]["with"]["digests"]


def test_every_job_ends_by_itself(workflow: dict[Any, Any]) -> None:
    jobs = [job for job in workflow["jobs"].values() if "uses" not in job]
    assert all(job["timeout-minutes"] < 360 for job in jobs)


def test_every_make_target_exists(root: Path, workflow: dict[Any, Any]) -> None:
    makefile = (root / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)) | {
        ".venv/bin/.installed"
    }
    called = set(re.findall(r"\bmake ([a-z.][\w./-]*)", scripts(workflow)))
    assert called <= targets


def test_every_variable_that_make_is_given_is_one_that_the_makefile_reads(
    root: Path, workflow: dict[Any, Any]
) -> None:
    makefile = (root / "Makefile").read_text()
    given = set(re.findall(r"\bmake [^\n]*?\b([A-Z]+)=", scripts(workflow)))
    assert all(f"$({name}" in makefile or f"$(if $({name}" in makefile for name in given)


def test_every_taxi_command_exists(workflow: dict[Any, Any]) -> None:
    called = set(re.findall(r"\.venv/bin/taxi (\w+)", scripts(workflow)))
    assert called <= set(main.list_commands(click.Context(main)))


def test_the_training_run_gets_all_that_starting_it_needs(root: Path) -> None:
    text = (root / ".github/workflows/train.yml").read_text()
    needed = ("URL", "OWNER_EMAIL", "OWNER_PASSWORD", "TRIGGER_TOKEN")
    assert all(f"TAXI_MAGE_{name}: ${{{{ " in text for name in needed)


def test_the_page_of_delivery_lists_every_secret_and_variable_that_the_workflows_read(
    root: Path,
) -> None:
    text = "".join(path.read_text() for path in workflows(root))
    read = set(re.findall(r"\b(vars|secrets)\.(\w+)", text))
    table = re.findall(
        r"^\| `(\w+)` \| (variable|secret) \|",
        (root / "docs/delivery.md").read_text(),
        re.MULTILINE,
    )
    kinds = {"variable": "vars", "secret": "secrets"}
    assert {(kinds[kind], name) for name, kind in table} == read


def test_every_environment_of_the_workflows_is_on_the_page_of_delivery(root: Path) -> None:
    page = (root / "docs/delivery.md").read_text()
    for path in workflows(root):
        named = re.findall(r"^\s+environment: (\w+)$", path.read_text(), re.MULTILINE)
        assert all(f"`{name}`" in page for name in named)


@pytest.mark.slow
def test_dependabot_looks_wherever_something_is_pinned_and_waits_a_week(root: Path) -> None:
    updates = yaml.safe_load((root / ".github/dependabot.yml").read_text())["updates"]
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)
    watched = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    dockerfiles = {
        ("docker", f"/{path.parent.relative_to(root)}")
        for path in root.glob("[!.]*/**/Dockerfile")
        if "tests" not in path.parts and ".venv" not in path.parts
    }
    assert {("github-actions", "/"), ("pip", "/")} | dockerfiles <= watched
