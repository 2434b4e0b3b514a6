"""What every test may use."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack.ports import is_free

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real trips, never committed; a test that needs it skips where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real trips are not here: {SHARED_DATA} does not exist")
    return SHARED_DATA


@pytest.fixture(scope="session")
def stack_settings() -> Callable[[Path], Settings]:
    """Makes settings of a stack in a folder, with all its ports free ones."""

    def make(home: Path) -> Settings:
        mlflow, mage, service, city_api, postgres, s3, s3_base, *_ = _free_ports()
        return load_settings(
            home=home,
            mlflow_port=mlflow,
            mage_port=mage,
            service_port=service,
            city_api_port=city_api,
            postgres_port=postgres,
            s3_port=s3,
            s3_base_port=s3_base,
        )

    return make


@pytest.fixture(scope="session")
def backends(
    tmp_path_factory: pytest.TempPathFactory, stack_settings: Callable[[Path], Settings]
) -> Iterator[Settings]:
    """Settings of a Postgres, an S3 server and an MLflow server that run until the tests end."""
    from taxi_duration.stack.stack import BACKENDS, Stack

    with Stack(stack_settings(tmp_path_factory.mktemp("backends")), BACKENDS) as settings:
        yield settings


def _free_ports() -> range:
    """Twenty neighbouring ports that nobody listens on, below those of outgoing connections."""
    first, last, block = 27_000, 32_000, 20
    for start in random.sample(range(first, last, block), k=(last - first) // block):
        ports = range(start, start + block)
        if all(is_free(port, "127.0.0.1") for port in ports):
            return ports
    raise RuntimeError(f"No {block} neighbouring ports are free from {first} to {last}.")
