from pathlib import Path

import pytest

from taxi_duration.errors import StackError
from taxi_duration.stack.lock import locked


def test_a_home_that_cannot_be_made_is_named_with_the_setting(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.touch()
    refused = pytest.raises(StackError, match=r"cannot be used: Not a directory.*\n?.*TAXI_HOME")
    with refused, locked(home, print):
        pass
