"""What is told of a stack that is up."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxi_duration.contract import ModelVersion
from taxi_duration.settings import load_settings
from taxi_duration.stack.first_run import first_champion, served_model, summary
from taxi_duration.stack.resolved import Secrets, plain, resolve


def test_without_a_model_the_summary_has_the_addresses_the_sign_in_and_what_to_do(
    tmp_path: Path,
) -> None:
    settings = resolve(load_settings(home=tmp_path), Secrets("0" * 64))
    told = "\n".join(summary(settings, {}))
    for words in (settings.mage_url, settings.mlflow_url, settings.service_url):
        assert words in told
    assert settings.mage_owner_email in told
    assert plain(settings.mage_owner_password) in told
    assert "taxi run" in told


def test_a_service_that_does_not_answer_has_no_model(tmp_path: Path) -> None:
    assert served_model(load_settings(home=tmp_path, service_port=1)) == {}


def test_where_a_champion_serves_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ModelVersion("taxi-duration", "3", "run", "city", ["2022-01"], {}, datetime.now(UTC))
    monkeypatch.setattr("taxi_duration.registry.champion.champion", lambda _settings: found)
    said: list[str] = []
    # With no Mage there, anything else would fail.
    settings = load_settings(home=tmp_path, mage_url="http://127.0.0.1:9")
    assert first_champion(settings, said.append) == found
    assert said == ["There is a model already: nothing is trained."]
