"""A stack of cheap parts: Postgres, S3 and a toy."""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import psutil
import pytest

from taxi_duration.settings import Settings
from taxi_duration.stack.health import answers
from taxi_duration.stack.part import Part
from taxi_duration.stack.processes import leftovers
from taxi_duration.stack.resolved import Secrets
from taxi_duration.stack.stack import PARTS, Factory, Stack

TOY = Path(__file__).with_name("toy.py")


def toy(settings: Settings, _secrets: Secrets) -> Part:
    port = settings.service_port
    return Part(
        name="toy",
        command=(sys.executable, str(TOY), str(port)),
        environment={"TOY_SECRET": "do not tell"},
        healthy=partial(answers, "127.0.0.1", port, "/"),
        ports={"TAXI_SERVICE_PORT": [port]},
        url=f"http://127.0.0.1:{port}",
        patience=20,
    )


def broken(settings: Settings, _secrets: Secrets) -> Part:
    return Part(
        name="broken",
        command=("sh", "-c", "echo the disk is full; exit 3"),
        environment={},
        healthy=lambda: False,
        ports={},
        url="",
    )


FACTORIES: Mapping[str, Factory] = {**PARTS, "toy": toy, "broken": broken}

MakeStack = Callable[..., Stack]


@pytest.fixture
def make_stack(
    tmp_path: Path, stack_settings: Callable[[Path], Settings]
) -> Iterator[Callable[..., Stack]]:
    """Makes stacks of one home and one set of ports; ends them after the test."""
    settings = stack_settings(tmp_path / "home")

    def make(*parts: str, show: Callable[[str], None] = print, **update: object) -> Stack:
        changed = settings.model_copy(update=update)
        return Stack(changed, parts or ("toy",), show, FACTORIES)

    yield make
    make().down()


@pytest.fixture(scope="module")
def shared_stack(
    tmp_path_factory: pytest.TempPathFactory, stack_settings: Callable[[Path], Settings]
) -> Iterator[Stack]:
    """Postgres, S3 and the toy, running, in a home whose name is hard on quoting."""
    home = tmp_path_factory.mktemp("stack") / "a home, 100% odd"
    stack = Stack(stack_settings(home), ("postgres", "s3", "toy"), print, FACTORIES)
    stack.up()
    yield stack
    stack.down()
    assert running(stack) == []


def running(stack: Stack) -> list[psutil.Process]:
    """Every process of the stack."""
    return leftovers(stack.home)
