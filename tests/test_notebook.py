from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = "notebooks/model_development.ipynb"


@pytest.fixture
def notebook(root: Path) -> Any:
    return nbformat.read(root / NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def test_the_notebook_is_stored_without_outputs(notebook: Any) -> None:
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.slow
def test_the_notebook_runs_on_a_small_sample(
    notebook: Any, root: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXI_NOTEBOOK_TRIPS", str(shared_data))
    monkeypatch.setenv("TAXI_NOTEBOOK_SHARE", "0.02")
    resources = {"metadata": {"path": str(root / "notebooks")}}
    done = NotebookClient(
        notebook, timeout=200, kernel_name="python3", resources=resources
    ).execute()
    outputs = [out for cell in done.cells for out in cell.get("outputs", [])]
    pictures = [out for out in outputs if "image/png" in out.get("data", {})]
    assert len(pictures) >= 6
    assert not [out for out in outputs if out["output_type"] == "error"]
