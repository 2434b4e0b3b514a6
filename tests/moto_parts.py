"""For the tests of what is on AWS: a moto server, which answers as AWS does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
from moto.server import ThreadedMotoServer

REGION = "us-east-2"
# What moto takes for anybody's.
KEY, SECRET = "test-key", "test-secret"


@contextmanager
def moto_server() -> Iterator[str]:
    """The address of a server that knows nothing yet."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # What it knows is the whole process's.
    httpx.post(f"{url}/moto-api/reset").raise_for_status()
    try:
        yield url
    finally:
        server.stop()


def aws(url: str, service: str) -> Any:
    """A boto3 client of the server."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
    )
