"""What the stack is told of its S3 server."""

import os
import time
from pathlib import Path

import psutil
import pytest

from ill_s3 import silent_server
from taxi_duration.errors import StackError
from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack import seaweedfs as module
from taxi_duration.stack.health import get_json
from taxi_duration.stack.resolved import Secrets, resolve
from taxi_duration.stack.seaweedfs import seaweedfs


@pytest.mark.slow
def test_a_server_that_never_answers_is_unhealthy_within_seconds(tmp_path: Path) -> None:
    with silent_server() as url:
        given = load_settings(home=tmp_path, s3_port=int(url.rpartition(":")[2]))
        secrets = Secrets.of(given)
        part = seaweedfs(resolve(given, secrets), secrets)
        started = time.monotonic()
        assert not part.healthy()
        assert time.monotonic() - started < 10


def test_a_socket_that_another_users_server_has_left_is_told_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = load_settings(home=tmp_path, s3_base_port=20_000)
    monkeypatch.setattr(module, "SOCKETS", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    secrets = Secrets.of(given)
    part = seaweedfs(resolve(given, secrets), secrets)
    (tmp_path / "seaweedfs-filer-grpc-30000.sock").touch()
    part.prepare()
    (tmp_path / "seaweedfs-filer-grpc-20005.sock").touch()
    with pytest.raises(StackError, match=r"20005.*another user"):
        part.prepare()
    monkeypatch.undo()
    part.prepare()


@pytest.mark.stack
def test_how_many_buckets_there_can_be_does_not_hang_on_the_room_of_the_disk(
    backends: Settings,
) -> None:
    status = get_json("127.0.0.1", backends.s3_base_port, "/dir/status")
    assert status["Topology"]["Max"] == 1_000


@pytest.mark.stack
def test_its_log_is_the_stack_s_and_no_file_elsewhere(backends: Settings) -> None:
    (server,) = (
        psutil.Process(connection.pid)
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (backends.s3_port,)
    )
    assert [file.path for file in server.open_files() if ".log." in file.path] == []
    assert (backends.home / "logs" / "s3.log").read_text()
