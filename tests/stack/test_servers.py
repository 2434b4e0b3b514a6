from pathlib import Path

import pytest

from taxi_duration.errors import StackError
from taxi_duration.settings import load_settings
from taxi_duration.stack import servers
from taxi_duration.stack.part import Part
from taxi_duration.stack.resolved import Secrets, resolve
from taxi_duration.stack.servers import service


def test_the_service_is_told_where_to_log_its_predictions(tmp_path: Path) -> None:
    secrets = Secrets("0" * 64)
    settings = resolve(load_settings(home=tmp_path, postgres_port=15_433), secrets)
    environment = service(settings, secrets).environment
    assert "@127.0.0.1:15433/taxi" in environment["TAXI_DATABASE_URL"]
    assert environment["TAXI_HOME"] == str(tmp_path)


def part(home: Path, port: int = 9696) -> Part:
    return service(load_settings(home=home, service_port=port), Secrets("0" * 64))


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(servers, "MEMORY", tmp_path / "memory")
    (tmp_path / "memory").mkdir()
    return tmp_path / "memory"


def test_the_service_shares_its_metrics_in_memory_in_a_folder_of_its_own(memory: Path) -> None:
    homes = [(Path("/one"), 9696), (Path("/one"), 9697), (Path("/other"), 9696)]
    folders = {part(*home).environment["TAXI_METRICS_FOLDER"] for home in homes}
    assert len(folders) == 3
    assert list(memory.iterdir()) == []
    for _ in range(2):
        part(*homes[0]).prepare()
    [made] = memory.iterdir()
    assert made.stat().st_mode & 0o777 == 0o700
    assert str(made) in folders


@pytest.mark.parametrize("trap", ["open", "link"])
def test_a_folder_that_others_may_write_to_is_not_taken(memory: Path, trap: str) -> None:
    folder = Path(part(Path("/one")).environment["TAXI_METRICS_FOLDER"])
    if trap == "open":
        folder.mkdir()
        folder.chmod(0o777)
    else:
        folder.symlink_to(memory)
    with pytest.raises(StackError, match="can be written by others"):
        part(Path("/one")).prepare()


def test_without_memory_to_share_metrics_lie_in_the_home(memory: Path) -> None:
    memory.rmdir()
    assert "TAXI_METRICS_FOLDER" not in part(Path("/one")).environment
    part(Path("/one")).prepare()
