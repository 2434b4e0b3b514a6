"""What every Dockerfile of this project keeps to."""

import re
from pathlib import Path

import pytest

PYTHON = ("web-service", "orchestration", "experiment-tracking")
ALL = (*PYTHON, "monitoring/grafana")


def dockerfile(root: Path, folder: str) -> str:
    return (root / folder / "Dockerfile").read_text()


def last_stages(text: str) -> str:
    """What is part of the result: all from the first stage on that is not for building."""
    return text[text.index("# --- ", text.index("FROM tools AS environment")) :]


@pytest.mark.parametrize("folder", ALL)
def test_secrets_come_when_it_runs_and_never_when_it_is_built(root: Path, folder: str) -> None:
    text = dockerfile(root, folder)
    named = re.findall(r"^\s*(?:ARG|ENV)\s+(.*)$", text, re.MULTILINE)
    assert not [line for line in named if re.search(r"PASSWORD|TOKEN|KEY|_URL|_URI", line)]
    # Nor an index that packages come from: that is the machine's.
    assert not re.search(r"index-url|trusted-host|https?://(?!127\.0\.0\.1)", text)


@pytest.mark.parametrize("folder", ALL)
def test_the_base_can_be_pinned_and_the_result_says_what_it_is(root: Path, folder: str) -> None:
    text = dockerfile(root, folder)
    assert re.search(r"^FROM \$\{(\w+)_IMAGE\}\$\{\1_DIGEST\}", text, re.MULTILINE)
    for label in ("title", "description", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in text
    assert "HEALTHCHECK" in text


@pytest.mark.parametrize("folder", PYTHON)
def test_what_builds_does_not_come_into_the_result(root: Path, folder: str) -> None:
    result = last_stages(dockerfile(root, folder))
    assert "COPY --from=environment /opt/taxi/venv" in result
    assert not re.search(r"\b(poetry|uv|gcc|build-essential)\b", result)
    assert "rm -rf" in result
    assert "ensurepip /usr/local/bin/pip*" in result
    assert "\nUSER 10001:10001\n" in result


@pytest.mark.parametrize("folder", PYTHON)
def test_the_tools_are_those_that_make_the_environments_here(root: Path, folder: str) -> None:
    makefile = (root / "Makefile").read_text()
    text = dockerfile(root, folder)
    for tool, variable in (
        ("poetry", "POETRY"),
        ("poetry-plugin-export", "EXPORT"),
        ("uv", "UV"),
    ):
        version = re.search(rf"^{variable}_VERSION := (\S+)$", makefile, re.MULTILINE)
        assert version is not None
        assert re.search(rf"\b{tool}=={re.escape(version[1])}(\s|$)", text), tool


def test_the_stages_of_tools_and_package_are_the_same_in_all(root: Path) -> None:
    # Dockerfiles cannot share them and still be built one by one with `docker build -f`.
    texts = [dockerfile(root, folder) for folder in PYTHON]
    ends = [text.index("FROM tools AS environment") for text in texts]
    stages = {
        text[text.index("# --- What builds") : end] for text, end in zip(texts, ends, strict=True)
    }
    assert len(stages) == 1


@pytest.mark.parametrize("folder", PYTHON)
def test_every_library_is_checked_against_its_hash_and_compiled(root: Path, folder: str) -> None:
    text = dockerfile(root, folder)
    sync = re.findall(r"uv pip sync .*", text)
    assert sync
    assert all("--require-hashes --compile-bytecode" in line for line in sync)


def test_the_service_is_what_is_built_where_no_target_is_named(root: Path) -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$", dockerfile(root, "web-service"), re.MULTILINE)
    assert stages[-1] == "service"


def test_only_what_is_named_is_sent_to_a_build(root: Path) -> None:
    lines = (root / ".dockerignore").read_text().splitlines()
    assert lines[lines.index("*") - 1].startswith("#")
    assert "**/.env*" in lines
