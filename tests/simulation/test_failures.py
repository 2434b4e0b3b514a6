import time

import httpx
import pytest

from taxi_duration.errors import SettingsError
from taxi_duration.simulation.app import create_app
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.failures import Failure, Failures
from taxi_duration.simulation.server import serving

PAGE = "/resource/wrvz-psew.csv?$limit=20"


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("429", Failure("429")),
        ("500:3", Failure("500", count=3)),
        ("cut:0.25", Failure("cut", share=0.25)),
        ("slow:1.0", Failure("slow", share=1.0)),
    ],
)
def test_a_way_to_fail_is_written_with_a_count_or_a_share(text: str, failure: Failure) -> None:
    assert Failure.parse(text) == failure


@pytest.mark.parametrize("text", ["404", "429:", "429:-1", "cut:2.5", "cut:often", ""])
def test_any_other_way_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(SettingsError, match="429, 500, slow, cut"):
        Failure.parse(text)


def test_a_count_fails_the_first_requests_and_then_no_more() -> None:
    failures = Failures([Failure("429", count=2), Failure("500", count=1)])
    assert [failures.next() for _ in range(4)] == ["429", "429", "500", None]


def test_a_share_fails_about_so_many_requests() -> None:
    failures = Failures([Failure("cut", share=0.3)])
    assert 230 < sum(failures.next() == "cut" for _ in range(1000)) < 370


def test_throttling_answers_429_and_says_when_to_come_back(city: SimulatedCity) -> None:
    client = create_app(city, [Failure("429", count=1)]).test_client()
    response = client.get(PAGE)
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "1"
    assert response.headers["X-Taxi-Source"] == "simulated"
    assert client.get(PAGE).status_code == 200


def test_a_fault_answers_500_as_the_platform_does(city: SimulatedCity) -> None:
    response = create_app(city, [Failure("500")]).test_client().get(PAGE)
    assert response.status_code == 500
    assert response.get_json()["error"] is True


def test_health_never_fails(city: SimulatedCity) -> None:
    assert create_app(city, [Failure("500")]).test_client().get("/health").status_code == 200


def test_an_answer_that_is_cut_off_breaks_the_connection(city: SimulatedCity) -> None:
    with serving(create_app(city, [Failure("cut", count=1)])) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url + PAGE)
        assert len(httpx.get(url + PAGE).text.splitlines()) == 21


def test_a_slow_answer_comes_late(city: SimulatedCity) -> None:
    with serving(create_app(city, [Failure("slow", count=1)], slow_seconds=0.4)) as url:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(url + PAGE, timeout=0.1)
        begun = time.monotonic()
        assert httpx.get(url + PAGE).status_code == 200
        assert time.monotonic() - begun < 0.4
