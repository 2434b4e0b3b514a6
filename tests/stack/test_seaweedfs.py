"""What the stack is told of its S3 server."""

import time
from pathlib import Path

from ill_s3 import silent_server
from taxi_duration.settings import load_settings
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
