"""The engine, the images and the one stack that all tests here share."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.compose_stack import IMAGES, OWN_IMAGES, STAND_INS, ComposeStack
from containers.engine import Engine, NoEngineError, provide_python, running_engine
from containers.times import Times

_TIMES = pytest.StashKey[Times]()


@pytest.fixture(scope="session")
def times(pytestconfig: pytest.Config) -> Times:
    """The log, which goes to the terminal at once and again with the summary."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n  {line}", end="", flush=True)

    return pytestconfig.stash.setdefault(_TIMES, Times(say))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What was measured, for the log."""
    if times := config.stash.get(_TIMES, None):
        terminalreporter.section("containers")
        for line in times.lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def engine(times: Times) -> Iterator[Engine]:
    """Docker with Compose and the Python base; a test that needs it skips where there is none."""
    try:
        with running_engine(times.say) as found:
            provide_python(found, times.say)
            yield found
    except NoEngineError as error:
        pytest.skip(f"containers cannot run here: {error}")


@pytest.fixture(scope="session")
def built(
    engine: Engine, root: Path, tmp_path_factory: pytest.TempPathFactory, times: Times
) -> Iterator[ComposeStack]:
    """A stack whose images are built and which was not started yet; gone at the end."""
    stack = ComposeStack.prepare(engine, root, tmp_path_factory.mktemp("containers"), _ports())
    with times.step("build the stand-ins"):
        stack.compose("build", *STAND_INS)
    for name in OWN_IMAGES:
        with times.step(f"build {name}"):
            stack.compose("build", name)
        [image] = stack.inspect(f"{IMAGES}/{name}:local")
        times.note(f"{image['Size'] / 1e6:7.0f} MB {name}")
    yield stack
    with times.step("remove everything"):
        stack.compose("down", "--volumes", "--timeout", "5")


@pytest.fixture(scope="session")
def stack(built: ComposeStack, times: Times) -> ComposeStack:
    """The stack with three replicas of the service, all healthy, and a first model."""
    with times.step("up: all containers healthy"):
        built.up()
    with times.step("first run of the pipeline, from then on"):
        built.wait_for_end("first-run")
    return built


def _ports() -> range:
    """Neighbouring ports that nobody listens on, far below those of outgoing connections."""
    for first in range(21_100, 26_000, 10):
        ports = range(first, first + 10)
        if all(_is_free(port) for port in ports):
            return ports
    raise RuntimeError("No ten neighbouring ports are free from 21100 to 26000.")


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
