"""A Docker engine: the machine's where it has one, else one of the tests' own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# What the Dockerfiles start from.
PYTHON_IMAGE = "python:3.11-slim-bookworm"
NEEDED = "Docker with Compose 2.24 or later, or root on Debian 12, where an engine can be started"

Say = Callable[[str], None]


class NoEngineError(Exception):
    """Why there is none, and what would be needed."""


@dataclass(frozen=True)
class Engine:
    """How its commands are called."""

    environment: Mapping[str, str]

    def docker(self, *words: str) -> str:
        """What a command of docker prints; CalledProcessError where it fails."""
        # Its standard error goes to the test's, where pytest shows it with what failed.
        done = subprocess.run(
            ["docker", *words], env=self.environment, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout.strip()

    def answers(self) -> bool:
        """Whether there is an engine, and a Compose that knows `!override`."""
        try:
            self._quietly("info")
            version = self._quietly("compose", "version", "--short")
        except (OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False
        major, minor, *_ = version.removeprefix("v").split(".")
        return (int(major), int(minor)) >= (2, 24)

    def has_image(self, tag: str) -> bool:
        """Whether it is here, or can be pulled within a minute."""
        for words in (("image", "inspect", tag), ("pull", "--quiet", tag)):
            try:
                self._quietly(*words)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                continue
            return True
        return False

    def _quietly(self, *words: str) -> str:
        done = subprocess.run(
            ["docker", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()


@contextmanager
def running_engine(say: Say) -> Iterator[Engine]:
    """The machine's engine, or one that is started now and stopped at the end.

    Raises NoEngineError where there can be none, with the reason.
    """
    engine = Engine(dict(os.environ))
    if engine.answers():
        yield engine
        return
    with tempfile.TemporaryDirectory(prefix="taxi-engine-") as folder:
        say("No Docker engine runs here: starting one …")
        yield from _own(Path(folder))


def provide_python(engine: Engine, say: Say) -> None:
    """See to it that the Dockerfiles find their base, or a stand-in made of this machine."""
    if engine.has_image(PYTHON_IMAGE):
        return
    say(f"{PYTHON_IMAGE} cannot be pulled: making a stand-in …")
    if not (python := python_for_stand_in()):
        raise NoEngineError(
            f"{PYTHON_IMAGE} cannot be pulled, and a stand-in is made of a CPython 3.11 in a folder"
            f" other than /usr; neither {sys.executable} nor a python3.11 in the PATH is one"
        )
    environment = {**engine.environment, "PYTHON": str(python)}
    _run([str(HERE / "python-base.sh"), PYTHON_IMAGE], environment)


def python_for_stand_in() -> Path | None:
    """A CPython 3.11 in a folder of its own: the one of these tests, or else that in the PATH."""
    for candidate in (sys.executable, shutil.which("python3.11")):
        if candidate and (prefix := _prefix_of_311(candidate)):
            return prefix / "bin" / "python3.11"
    return None


def _prefix_of_311(python: str) -> Path | None:
    asked = "import sys; print(*sys.version_info[:2], sys.base_prefix)"
    # A shim of a version manager is there, and fails, where the version is not installed.
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False)
    version, _, prefix = done.stdout.strip().partition(" /")
    return Path("/", prefix) if version == "3 11" and prefix != "usr" else None


def _own(folder: Path) -> Iterator[Engine]:
    if reason := _unfit():
        raise NoEngineError(f"{reason}; needed: {NEEDED}")
    script, root = str(HERE / "engine.sh"), folder / "root" / "usr"
    environment = {
        **os.environ,
        "PATH": f"{root / 'bin'}:{root / 'sbin'}:{os.environ['PATH']}",
        "DOCKER_HOST": f"unix://{folder / 'docker.sock'}",
        "DOCKER_CONFIG": str(folder / "config"),
    }
    try:
        _run([script, "start", str(folder)], dict(os.environ))
        yield Engine(environment)
    finally:
        _run([script, "stop", str(folder)], dict(os.environ))


def _unfit() -> str:
    """Why no engine can be started here; empty where it can."""
    release = Path("/etc/os-release")
    if not release.exists() or "VERSION_CODENAME=bookworm" not in release.read_text():
        return "no Docker engine runs here and this is not Debian 12"
    if os.geteuid() != 0:
        return "no Docker engine runs here and only root could start one"
    return ""


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = " ".join(done.stderr.strip().splitlines()[-3:])
        raise NoEngineError(f"{' '.join(command)} failed: {last}")
