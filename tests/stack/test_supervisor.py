"""What supervisord reads in the configuration that is written for it."""

import shlex
import sys
from pathlib import Path

import pytest
from supervisor.options import UnhosedConfigParser

from taxi_duration.stack.part import Part
from taxi_duration.stack.supervisor import Supervisor

PART = Part("part", ("true",), {}, healthy=lambda: True, ports={}, url="")


@pytest.mark.parametrize("folder", ["taxi #1", "a ;b", "#;'", "100% O'Hare", "plain"])
def test_python_may_lie_in_a_folder_of_any_name(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", f"/{folder}/.venv/bin/python")
    (tmp_path / "run").mkdir()
    read = UnhosedConfigParser()
    read.read([Supervisor(tmp_path).configure([PART])])
    command = read.get("program:part", "command") % {}
    assert shlex.split(command)[:2] == [sys.executable, "-m"]
