"""Ports that are taken."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from taxi_duration.errors import PortTakenError
from taxi_duration.stack.part import Part
from taxi_duration.stack.ports import check_ports, is_free
from taxi_duration.stack.processes import marks


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


def test_a_port_from_which_a_connection_was_opened_is_told_with_whose_it_is() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0],
        pytest.raises(PortTakenError, match=rf"is taken by process {os.getpid()} \("),
    ):
        check_ports([part("mage", TAXI_MAGE_PORT=client.getsockname()[1])], "127.0.0.1")


def test_a_part_of_another_stack_is_told_with_its_home_even_where_it_lost_its_mark(
    tmp_path: Path,
) -> None:
    listen = (
        "import socket, sys; server = socket.create_server(('127.0.0.1', 0));"
        " print(server.getsockname()[1], flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        ["sh", "-c", 'env -i "$0" -c "$1"; true', sys.executable, listen],
        env={**os.environ, **marks(tmp_path, "postgres")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        port = int(other.stdout.readline())
        with pytest.raises(PortTakenError, match=r"`TAXI_HOME=<its folder> taxi down`") as caught:
            check_ports([part("postgres", TAXI_POSTGRES_PORT=port)], "127.0.0.1")
    assert f") of the stack in {tmp_path}." in str(caught.value)


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
