"""What every test may use."""

import gc
import random
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack.ports import is_free

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
# Tests with the later ones of these markers run later, those with none first.
LATER = ("slow", "terraform", "stack", "browser", "containers")

# It asks a service that is already there: `make smoke URL=…`.
collect_ignore = ["smoke"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Imports make a million objects that stay: no collector has to go through them again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick tests come first, so that what is broken is told within seconds."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is not None for name in LATER[::-1]])


# What the counts in docs/api.md come from: `pytest --hypothesis-profile=thorough`.
hypothesis.settings.register_profile("thorough", max_examples=2_000)


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


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow asks a server that does not answer as often as always, but without long waits."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; a test that needs it skips where there is none."""
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("there is no Chromium here: `apt-get install chromium` brings it")
    # On a busy machine a page takes longer than the five seconds that are waited by default.
    expect.set_options(timeout=20_000)
    # Root may not use the sandbox, and without a network the browser's own calls only cost time.
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=flags) as chromium_browser,
    ):
        yield chromium_browser


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A page of Chromium that knows nothing of those before it."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        yield context.new_page()


def _free_ports() -> range:
    """Twenty neighbouring ports that nobody listens on, below those of outgoing connections."""
    first, last, block = 27_000, 32_000, 20
    for start in random.sample(range(first, last, block), k=(last - first) // block):
        ports = range(start, start + block)
        if all(is_free(port, "127.0.0.1") for port in ports):
            return ports
    raise RuntimeError(f"No {block} neighbouring ports are free from {first} to {last}.")
