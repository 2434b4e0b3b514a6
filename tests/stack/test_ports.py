"""Ports that are taken."""

import os
import socket

import pytest

from taxi_duration.errors import PortTakenError
from taxi_duration.stack.part import Part
from taxi_duration.stack.ports import check_ports, is_free


def part(name: str, **ports: int) -> Part:
    settings = {setting: [port] for setting, port in ports.items()}
    return Part(name, ("true",), {}, lambda: True, settings, "")


def test_free_ports_pass() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    check_ports([part("mlflow", TAXI_MLFLOW_PORT=port)], "127.0.0.1")


def test_every_taken_port_is_named_with_its_setting_and_who_has_it() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        parts = [
            part("mlflow", TAXI_MLFLOW_PORT=one.getsockname()[1]),
            part("mage", TAXI_MAGE_PORT=two.getsockname()[1]),
        ]
        with pytest.raises(PortTakenError) as caught:
            check_ports(parts, "127.0.0.1")
    message = str(caught.value)
    for words in ("TAXI_MLFLOW_PORT, for mlflow", "TAXI_MAGE_PORT, for mage"):
        assert words in message
    assert message.count(f"process {os.getpid()} (") == 2


def test_two_settings_with_one_port_are_told() -> None:
    with pytest.raises(PortTakenError, match=r"TAXI_MLFLOW_PORT, for mlflow"):
        check_ports(
            [part("mlflow", TAXI_MLFLOW_PORT=27_001), part("mage", TAXI_MAGE_PORT=27_001)],
            "127.0.0.1",
        )


def test_a_port_that_a_base_port_pushes_over_the_last_one_is_told() -> None:
    with pytest.raises(PortTakenError, match="no port is above 65535"):
        check_ports([part("s3", TAXI_S3_BASE_PORT=70_000)], "127.0.0.1")


def test_a_server_on_all_addresses_takes_the_port_on_loopback_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104
        assert not is_free(server.getsockname()[1], "127.0.0.1")
