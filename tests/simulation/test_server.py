import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from taxi_duration.errors import PortTakenError, StackError
from taxi_duration.simulation.app import create_app
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.server import listen, serving


@pytest.mark.slow
def test_many_clients_at_once_get_the_same_answers(city: SimulatedCity) -> None:
    with serving(create_app(city)) as url, ThreadPoolExecutor(8) as pool:
        page = f"{url}/resource/wrvz-psew.csv?$limit=300&$order=trip_id&$where=" + (
            "trip_start_timestamp between '2019-03-05' and '2019-03-06'"
        )
        answers = set(pool.map(lambda _: httpx.get(page).text, range(16)))
    assert len(answers) == 1


def test_a_port_that_is_taken_is_named_with_its_setting(city: SimulatedCity) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"{port}.*TAXI_CITY_API_PORT"):
            listen(create_app(city), "127.0.0.1", port)


def test_an_address_of_another_machine_is_refused(city: SimulatedCity) -> None:
    with pytest.raises(StackError, match="TAXI_HOST"):
        listen(create_app(city), "192.0.2.1", 0)
