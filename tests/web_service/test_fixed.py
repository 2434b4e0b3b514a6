import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from duration_service import create_app
from duration_service.fixed import fixed_model
from duration_service.observations import Observations
from taxi_duration.contract import ModelVersion
from taxi_duration.errors import ModelError
from taxi_duration.registry.champion import RECORD
from taxi_duration.settings import Settings, load_settings


def test_a_model_that_is_chosen_by_configuration_answers_and_nobody_watches(
    tmp_path: Path,
    machine: Callable[..., Settings],
    champion: ModelVersion,
    observations: Observations,
) -> None:
    folder = machine(tmp_path).home / "service" / "models" / champion.version
    settings = load_settings(home=tmp_path / "empty", model_folder=str(folder))
    app = create_app(settings, observations=observations)
    answer = app.test_client().post("/predict", json={}).json
    assert answer is not None
    assert (answer["model_version"], answer["run_id"]) == (champion.version, champion.run_id)
    assert "champion-watch" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("record", [b'{"name": "\xff"}', b"{"])
def test_a_record_that_cannot_be_read_is_told_with_its_file(
    tmp_path: Path, machine: Callable[..., Settings], champion: ModelVersion, record: bytes
) -> None:
    settings = machine(tmp_path)
    folder = settings.home / "service" / "models" / champion.version
    (folder / RECORD).write_bytes(record)
    with pytest.raises(ModelError, match=RECORD):
        fixed_model(settings, str(folder))
