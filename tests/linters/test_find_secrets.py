"""The check for secrets, in a repository of its own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# A key of the form that AWS gives, put together so that it is none in this file.
AWS_KEY = "AKIA" + "IOSFODNN7ABCDEFG"
Look = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def look(root: Path, tmp_path: Path) -> Look:
    """Writes files into a new repository and looks for secrets there."""
    repository, accepted = tmp_path / "repository", tmp_path / "accepted.toml"
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)

    def run(accept: str = "", **files: str) -> subprocess.CompletedProcess[str]:
        accepted.write_text(accept)
        for name, text in files.items():
            path = repository / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        python = str(root / "linters/.venv/bin/python")
        command = [python, "-m", "linters.find_secrets", "--root", str(repository)]
        return subprocess.run(
            [*command, "--accepted", str(accepted)],
            cwd=root, check=False, capture_output=True, text=True,
        )  # fmt: skip

    return run


def test_a_key_is_found_but_not_shown_and_can_be_accepted(look: Look) -> None:
    found = look(settings=f'key = "{AWS_KEY}"\n', README="Nothing here.\n")
    assert found.returncode == 1
    assert "settings:1: AWS Access Key" in found.stderr
    assert AWS_KEY not in found.stdout + found.stderr
    proposed = found.stderr[found.stderr.index("[[secret]]") :]
    assert look(accept=proposed).returncode == 0


def test_an_accepted_secret_that_is_gone_is_told(look: Look) -> None:
    gone = look(accept='[[secret]]\nkind = "Secret Keyword"\nsha1 = "0"\nreason = "known"\n', a="a")
    assert gone.returncode == 1
    assert "No longer found" in gone.stderr


def test_words_are_secrets_but_in_tests(look: Look) -> None:
    text = 'password = "hidden"\n'
    assert look(tests__sample=text, docs__url="smtp://user:password@host:25\n").returncode == 0
    assert "src/sample:1: Secret Keyword" in look(src__sample=text).stderr


def test_terraform_explains_its_secrets(look: Look) -> None:
    told = {"vars.tf": "secret = " + '"number 2 makes it anew"\ntoken = "string"\n'}
    assert look(**told).returncode == 0
    assert "vars.tf:1: Secret" in look(**{"vars.tf": "secret = " + '"n0t-a-w0rd"\n'}).stderr


def test_what_git_ignores_is_left_alone(look: Look) -> None:
    assert look(**{".gitignore": ".env\n", ".env": f"KEY={AWS_KEY}\n"}).returncode == 0
