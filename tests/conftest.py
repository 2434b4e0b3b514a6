"""What every test may use."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real trips, which are never committed; a test that needs it skips where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real trips are not here: {SHARED_DATA} does not exist")
    return SHARED_DATA
