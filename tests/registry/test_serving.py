import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from registered import own_model, registered, serve
from taxi_duration.registry.champion import champion, load
from taxi_duration.settings import Settings
from taxi_duration.stack.ports import is_free
from trips_factory import small_model

pytestmark = pytest.mark.stack

BIN = Path(sys.executable).parent
TRIPS: list[tuple[int | None, int | None, str]] = [
    (76, 32, "2019-03-01T08:00:00"),
    (8, 8, "2022-12-10T22:45:30"),
    (None, 28, "2019-03-03T12:00:00"),
    (None, None, "2024-01-01T00:00:00"),
]


@pytest.fixture(scope="module")
def settings(backends: Settings) -> Settings:
    """A registry whose champion is the small model."""
    own = own_model(backends)
    serve(own, registered(own).version)
    return own


@pytest.fixture(scope="module")
def served(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `mlflow models serve` with the champion."""
    port = next(port for port in range(24_100, 24_900) if is_free(port, "127.0.0.1"))
    log = tmp_path_factory.mktemp("serve") / "log"
    command = [
        *(str(BIN / "mlflow"), "models", "serve"),
        *("-m", f"models:/{settings.model_name}@champion", "--env-manager", "local"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": settings.mlflow_url,
        # It starts uvicorn by its name.
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    # Elsewhere than in the checkout, whose code it must not need.
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            env=environment,
            cwd=log.parent,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(server, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def wait_for(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/ping").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    pytest.fail(log.read_text())


def ask(url: str, records: list[dict[str, Any]]) -> list[dict[str, float]]:
    response = httpx.post(f"{url}/invocations", json={"dataframe_records": records}, timeout=30)
    assert response.is_success, response.text
    answers: list[dict[str, float]] = response.json()["predictions"]
    return answers


def test_mlflow_answers_the_numbers_that_the_service_answers(
    settings: Settings, served: str
) -> None:
    holder = champion(settings)
    assert holder
    model = load(settings, holder)
    expected = []
    for pickup, dropoff, start in TRIPS:
        answer = model.answer(pickup, dropoff, datetime.fromisoformat(start))
        expected.append(
            {"lower": answer.lower, "prediction": answer.prediction, "upper": answer.upper}
        )
    names = ("pickup_community_area", "dropoff_community_area", "trip_start_timestamp")
    assert ask(served, [dict(zip(names, trip, strict=True)) for trip in TRIPS]) == expected


def test_mlflow_takes_requests_without_areas(settings: Settings, served: str) -> None:
    start = "2019-03-01T08:00:00"
    [answer] = ask(served, [{"trip_start_timestamp": start}])
    expected = small_model().answer(None, None, datetime.fromisoformat(start))
    assert answer["prediction"] == expected.prediction
