"""The check for secrets, in a repository of its own."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# A key of the form that AWS gives, put together so that it is none in this file.
AWS_KEY = "AKIA" + "IOSFODNN7ABCDEFG"
Look = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.slow  # starts the scan in the linters' environment


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


@pytest.mark.parametrize(
    "value",
    [
        '"number 2 makes it anew"',
        '"string"',
        "action.value.it",
        'merge({ A = "b" })',
        '"MLFLOW_PASSWORD"',
    ],
)
def test_terraform_explains_its_secrets_and_refers_to_them(look: Look, value: str) -> None:
    assert look(**{"vars.tf": f"client_secret = {value}\n"}).returncode == 0


def test_a_secret_in_terraform_is_found(look: Look) -> None:
    assert "vars.tf:1: Secret" in look(**{"vars.tf": "secret = " + '"n0t-a-w0rd"'}).stderr


def test_a_checksum_is_no_secret_but_other_hexadecimal_is(look: Look) -> None:
    value = hashlib.sha256(b"").hexdigest()
    assert look(**{"part.tf": f'sha256 = "{value}"\n'}).returncode == 0
    assert "part.tf:1: Hex" in look(**{"part.tf": f'other = "{value}"\n'}).stderr


def test_what_git_ignores_is_left_alone(look: Look) -> None:
    assert look(**{".gitignore": ".env\n", ".env": f"KEY={AWS_KEY}\n"}).returncode == 0


def test_in_an_unpacked_archive_it_cannot_find_out(look: Look, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "repository" / ".git")
    done = look(a="a")
    assert done.returncode == 75
    assert "not a git repository" in done.stdout
