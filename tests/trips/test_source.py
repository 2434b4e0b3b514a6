import logging
import time

import pytest

from fake_city import Failure, FakeCity
from taxi_duration.errors import SettingsError
from taxi_duration.settings import load_settings
from taxi_duration.trips import source
from taxi_duration.trips.source import CITY_URL, answers, city_api_url


def test_each_word_means_its_address() -> None:
    assert city_api_url(load_settings(city_api="city")) == CITY_URL
    simulated = load_settings(city_api="simulated", host="127.0.0.1", city_api_port=22001)
    assert city_api_url(simulated) == "http://127.0.0.1:22001"
    assert city_api_url(load_settings(city_api="http://other:1/")) == "http://other:1"


def test_the_stand_in_may_be_on_another_machine() -> None:
    elsewhere = load_settings(city_api="simulated", city_stand_in="http://city-api:9680")
    assert city_api_url(elsewhere) == "http://city-api:9680"


def test_a_word_that_means_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="TAXI_CITY_API is 'ftp://x'"):
        city_api_url(load_settings(city_api="ftp://x"))


def test_auto_is_the_city_where_it_answers(
    fake_city: FakeCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_city.fail = lambda _asked: Failure(
        body=b"[]", headers={"Content-Type": "application/json"}
    )
    monkeypatch.setattr(source, "CITY_URL", fake_city.url)
    assert city_api_url(load_settings(city_api="auto")) == fake_city.url


def test_auto_is_the_stand_in_where_the_city_does_not_answer_and_is_said_loudly(
    fake_city: FakeCity, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake_city.close()
    monkeypatch.setattr(source, "CITY_URL", fake_city.url)
    settings = load_settings(city_api="auto", city_api_port=22001)
    assert city_api_url(settings) == "http://127.0.0.1:22001"
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "CANNOT BE REACHED" in record.getMessage()


@pytest.mark.parametrize(
    "failure",
    [Failure(seconds=1), Failure(status=503), Failure(body=b"<html>sign in</html>")],
    ids=["slow", "refused", "a page"],
)
def test_a_server_that_does_not_answer_as_soda_in_time_does_not_count(
    fake_city: FakeCity, failure: Failure
) -> None:
    fake_city.fail = lambda _asked: failure
    began = time.monotonic()
    assert not answers(fake_city.url, seconds=0.4)
    assert time.monotonic() - began < 0.8
