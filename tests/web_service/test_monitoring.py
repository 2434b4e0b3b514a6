"""The page of figures and its JSON where Postgres is away, hangs or is not known."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from duration_service.champion import EXTENSION as MODELS
from duration_service.champion import ModelHolder
from duration_service.monitoring import reading
from duration_service.monitoring.reading import EXTENSION, Reader, UnreadError
from taxi_duration.errors import SettingsError
from taxi_duration.settings import load_settings

NOWHERE = "postgresql://taxi:secret@127.0.0.1:9/taxi"
TRIP = {"pickup_community_area": 8}


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://taxi:secret@127.0.0.1:{listener.getsockname()[1]}/taxi"


def reads_from(app: Flask, dsn: str | None) -> FlaskClient:
    app.extensions[EXTENSION] = Reader(dsn, "taxi-duration")
    return app.test_client()


def test_without_a_database_the_page_says_which_setting_is_missing(client: FlaskClient) -> None:
    page = client.get("/monitoring")
    assert (page.status_code, page.content_type) == (503, "text/html; charset=utf-8")
    assert "Set TAXI_DATABASE_URL" in page.text
    assert "Retry-After" not in page.headers


def test_a_postgres_that_is_away_is_told_without_its_password(app: Flask) -> None:
    client = reads_from(app, NOWHERE)
    for path in ("/monitoring", "/monitoring.json"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == str(reading.FRESH_SECONDS)
        assert "Connection refused" in answer.text
        assert "secret" not in answer.text
    assert answer.content_type == "application/problem+json"
    assert client.post("/predict", json=TRIP).status_code == 200


def test_a_postgres_that_hangs_is_given_up(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READ_SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(UnreadError, match="did not answer within"):
        Reader(silent, "taxi-duration").figures()
    assert 0.2 <= time.monotonic() - began < 2


@pytest.mark.slow
def test_one_thread_reads_at_a_time_and_no_other_waits_for_it(
    app: Flask, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READ_SECONDS", 1.5)
    client = reads_from(app, silent)
    first = threading.Thread(target=app.test_client().get, args=("/monitoring",))
    first.start()
    reader: Reader = app.extensions[EXTENSION]
    while not reader._reading.locked():
        time.sleep(0.01)
    began = time.monotonic()
    answers = [client.get("/monitoring.json") for _ in range(5)]
    predicted = client.post("/predict", json=TRIP)
    assert time.monotonic() - began < 1
    assert first.is_alive()
    first.join()
    assert {answer.status_code for answer in answers} == {503}
    assert all("being read at this moment" in answer.text for answer in answers)
    assert all(answer.headers["Retry-After"] == "1" for answer in answers)
    assert predicted.status_code == 200


def test_what_failed_is_not_tried_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, tries = Reader(NOWHERE, "taxi-duration"), []
    real = reader._read
    monkeypatch.setattr(reader, "_read", lambda dsn: tries.append(dsn) or real(dsn))  # type: ignore[func-returns-value]
    for _ in range(3):
        with pytest.raises(UnreadError):
            reader.figures()
    assert len(tries) == 1
    monkeypatch.setattr(reader, "_until", 0.0)
    with pytest.raises(UnreadError):
        reader.figures()
    assert len(tries) == 2


def test_an_address_that_cannot_be_used_is_refused_at_the_start(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, database_url="postgresql://taxi:secret@host/taxi")
    with pytest.raises(SettingsError) as refused:
        Reader.from_settings(settings)
    assert "secret" not in str(refused.value)


def test_the_page_is_only_read_and_linked_from_the_first_page(
    app: Flask, client: FlaskClient
) -> None:
    assert client.post("/monitoring").status_code == 405
    assert 'href="/monitoring"' in client.get("/").text
    holder: ModelHolder = app.extensions[MODELS]
    holder.served = None
    assert client.get("/monitoring").status_code == 503
