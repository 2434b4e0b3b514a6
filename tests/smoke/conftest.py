"""The service at an address, whoever runs it: gunicorn, a gateway or a load balancer, Lambda."""

from collections.abc import Iterator

import httpx
import pytest

# A function that was idle takes some seconds to start.
FIRST_ANSWER_SECONDS = 30


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--base-url", help="The service that is asked, such as https://example.com.")


@pytest.fixture(scope="session")
def service(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of the service."""
    address = request.config.getoption("--base-url")
    if not address:
        raise pytest.UsageError("Say which service: make smoke URL=https://example.com")
    with httpx.Client(base_url=address, timeout=FIRST_ANSWER_SECONDS) as client:
        yield client
