"""The dashboards against the types that Grafana publishes, by TypeScript's compiler."""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taxi_duration.monitoring.grafana.files import dashboards

pytestmark = pytest.mark.slow

TYPES = Path(__file__).parent / "types"

Compile = Callable[[list[Any]], str]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compiles dashboards; returns what the compiler has to say, nothing where they are right."""
    if not shutil.which("npm"):
        pytest.skip("there is no npm here: `apt-get install npm` brings it")
    folder = tmp_path_factory.mktemp("types")
    for file in TYPES.glob("*.*"):
        shutil.copy(file, folder)
    fetched = run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", at=folder)
    if fetched.returncode:
        pytest.skip(f"npm cannot fetch Grafana's types: {fetched.stderr[-500:]}")

    def compile_all(boards: list[Any]) -> str:
        for former in folder.glob("board*.ts"):
            former.unlink()
        for number, board in enumerate(boards):
            text = "import type { Dashboard } from './grafana.js';\n\nexport const board:"
            (folder / f"board{number}.ts").write_text(f"{text} Dashboard = {json.dumps(board)};\n")
        return run("node_modules/.bin/tsc", "--project", ".", at=folder).stdout

    return compile_all


def run(*command: str, at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=120)


def with_panel(kind: str, change: Callable[[Any], object]) -> Any:
    """A dashboard of one panel of a kind, changed."""
    board, panel = copy.deepcopy(
        next(
            (board, panel)
            for board in dashboards()
            for panel in board["panels"]
            if panel["type"] == kind
        )
    )
    board["panels"] = [panel]
    change(panel)
    return board


def test_the_dashboards_are_what_grafana_calls_dashboards(compiled: Compile) -> None:
    assert compiled(dashboards()) == ""


def test_a_dashboard_that_is_wrong_is_found(compiled: Compile) -> None:
    """Else the test above would say nothing."""
    wrong = {
        "legnd": with_panel("timeseries", lambda panel: panel["options"].update(legnd={})),
        "lineWidht": with_panel(
            "timeseries", lambda p: p["fieldConfig"]["defaults"]["custom"].update(lineWidht=1)
        ),
        '"sideways"': with_panel("stat", lambda p: p["options"].update(orientation="sideways")),
        "rawSQL": with_panel("table", lambda panel: panel["targets"][0].update(rawSQL="")),
        "style": {**dashboards()[0], "style": "dark"},
    }
    said = compiled(list(wrong.values()))
    for number, name in enumerate(wrong):
        assert f"board{number}.ts" in said, said
        assert name in said, said
