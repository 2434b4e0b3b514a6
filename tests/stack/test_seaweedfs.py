"""What the stack is told of its S3 server."""

import time
from pathlib import Path

import pytest

from ill_s3 import silent_server
from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack.health import get_json
from taxi_duration.stack.resolved import Secrets, resolve
from taxi_duration.stack.seaweedfs import seaweedfs


def test_a_server_that_never_answers_is_unhealthy_within_seconds(tmp_path: Path) -> None:
    with silent_server() as url:
        given = load_settings(home=tmp_path, s3_port=int(url.rpartition(":")[2]))
        secrets = Secrets.of(given)
        part = seaweedfs(resolve(given, secrets), secrets)
        started = time.monotonic()
        assert not part.healthy()
        assert time.monotonic() - started < 10


@pytest.mark.stack
def test_how_many_buckets_there_can_be_does_not_hang_on_the_room_of_the_disk(
    backends: Settings,
) -> None:
    status = get_json("127.0.0.1", backends.s3_base_port, "/dir/status")
    assert status["Topology"]["Max"] == 1_000
