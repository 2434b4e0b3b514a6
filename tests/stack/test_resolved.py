"""What the stack decides and keeps."""

from pathlib import Path

import pytest

from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack.resolved import (
    Secrets,
    adopt,
    as_environment,
    make_home,
    plain,
    reach,
    resolve,
    write,
)

SECRETS = Secrets("0" * 64)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    make_home(tmp_path)
    return load_settings(home=tmp_path, mlflow_port=5001)


def test_addresses_follow_the_ports(settings: Settings) -> None:
    resolved = resolve(settings, SECRETS)
    assert resolved.mlflow_url == "http://127.0.0.1:5001"
    assert f":{settings.postgres_port}/taxi" in plain(resolved.database_url)
    assert resolved.s3_endpoint == f"http://127.0.0.1:{settings.s3_port}"


def test_a_secret_that_was_given_is_used_and_the_others_are_generated(settings: Settings) -> None:
    given = load_settings(home=settings.home, mage_owner_password="given")
    resolved = resolve(given, SECRETS)
    assert plain(resolved.mage_owner_password) == "given"
    assert len(plain(resolved.mage_trigger_token)) == 40
    assert len({SECRETS.derive(purpose) for purpose in ("a", "b", "c")}) == 3


def test_what_is_written_is_what_the_next_process_reads(settings: Settings) -> None:
    resolved = resolve(settings, SECRETS)
    write(resolved, SECRETS)
    assert settings.stack_file.stat().st_mode & 0o777 == 0o600
    read = load_settings(home=settings.home)
    for name in ("mlflow_url", "s3_secret_access_key", "database_url", "mage_trigger_token"):
        assert getattr(read, name) == getattr(resolved, name), name
    assert Secrets.of(read) == SECRETS


def test_a_password_with_odd_characters_is_kept_as_it_is(settings: Settings) -> None:
    odd = r"it's $HOME \ #1 100%"
    write(resolve(load_settings(home=settings.home, mage_owner_password=odd), SECRETS), SECRETS)
    assert plain(load_settings(home=settings.home).mage_owner_password) == odd


def test_the_file_of_a_running_stack_counts_more_than_other_settings(settings: Settings) -> None:
    write(resolve(settings, SECRETS), SECRETS)
    other = load_settings(home=settings.home, mlflow_port=9, trips_per_month=5)
    assert adopt(other).mlflow_port == 5001
    assert adopt(other).trips_per_month == 5


def test_a_child_process_reads_the_same_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = resolve(settings, SECRETS)
    for name, value in as_environment(resolved).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == resolved


def test_a_server_on_all_addresses_is_reached_on_loopback() -> None:
    assert reach("0.0.0.0") == "127.0.0.1"  # noqa: S104
    assert reach("192.0.2.7") == "192.0.2.7"
