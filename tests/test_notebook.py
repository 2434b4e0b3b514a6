from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from notebook_trips import write_stand_ins

NOTEBOOK = "notebooks/model_development.ipynb"


@pytest.fixture
def notebook(root: Path) -> Any:
    return nbformat.read(root / NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def test_the_notebook_is_stored_without_outputs(notebook: Any) -> None:
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.fixture(params=["simulated", "real"])
def sample_of_trips(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A folder of trips, and the share of them that makes a small sample."""
    if request.param == "real":
        return request.getfixturevalue("shared_data"), "0.02"
    write_stand_ins(tmp_path)
    return tmp_path, "0.6"


@pytest.mark.slow
def test_the_notebook_runs_on_a_small_sample(
    notebook: Any, root: Path, sample_of_trips: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, share = sample_of_trips
    monkeypatch.setenv("TAXI_NOTEBOOK_TRIPS", str(folder))
    monkeypatch.setenv("TAXI_NOTEBOOK_SHARE", share)
    resources = {"metadata": {"path": str(root / "notebooks")}}
    done = NotebookClient(
        notebook, timeout=200, kernel_name="python3", resources=resources
    ).execute()
    outputs = [out for cell in done.cells for out in cell.get("outputs", [])]
    pictures = [out for out in outputs if "image/png" in out.get("data", {})]
    assert len(pictures) >= 6
    assert not [out for out in outputs if out["output_type"] == "error"]
