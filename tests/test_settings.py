import errno
from pathlib import Path

import pytest

from taxi_duration.errors import SettingsError
from taxi_duration.settings import STACK_FILE, load_settings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"min_minutes": 70}, "TAXI_MIN_MINUTES, 70, is more than TAXI_MAX_MINUTES, 60"),
        ({"gate_min_coverage": 0.9}, "COVERAGE, 0.9, is more than TAXI_GATE_MAX_COVERAGE, 0.86"),
        # One month can never hold two that are over: nothing would be trained again, and silently.
        ({"retrain_windows": 1}, "TAXI_RETRAIN_OVER, 2, is more than TAXI_RETRAIN_WINDOWS, 1"),
    ],
)
def test_bounds_the_wrong_way_round_are_refused(given: dict[str, float], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(**given)


def test_a_bound_that_cannot_be_read_is_the_only_one_that_is_told() -> None:
    with pytest.raises(SettingsError, match=r"used: TAXI_RETRAIN_WINDOWS: [^;]*$"):
        load_settings(retrain_windows="many", retrain_over=5)


def test_bounds_may_be_equal() -> None:
    assert load_settings(retrain_windows=1, retrain_over=1).retrain_over == 1


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(SettingsError, match=r"TAXI_HOME: .*home is a file, and no folder"):
        load_settings(home=tmp_path / "home")


def test_a_stack_of_another_user_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / STACK_FILE).touch()
    # Root, who may run this, is refused nothing.
    monkeypatch.setattr("dotenv.main.open", refuse, raising=False)
    with pytest.raises(SettingsError, match=f"{STACK_FILE} cannot be read: Permission denied"):
        load_settings(home=tmp_path)
