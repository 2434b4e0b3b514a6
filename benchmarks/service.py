"""How fast the service is: `make bench-service`, or `python benchmarks/service.py --help`.

Side by side, on the same trips and under the same load (wrk): the service; the service asked for
trips whose answers it does not keep (`unkept`); a Flask route under the same gunicorn that answers
a constant, which is the most that can be had; `mlflow models serve` with the same model; and the
model's boosters in this process. The rounds of all take turns, so that a machine that is busy
otherwise is so for each of them; figures are medians. The last line is JSON.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from mlflow.models import Model

from duration_service.shelf import Shelf
from taxi_duration.contract import ModelVersion
from taxi_duration.model.duration_model import MOST_KEPT, DurationModel
from taxi_duration.model.evaluation import fit_default
from taxi_duration.model.features import Floats, feature_matrix
from taxi_duration.registry.package import save_package
from taxi_duration.settings import load_settings
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.source import Window
from taxi_duration.stack.ports import is_free
from taxi_duration.stack.servers import MEMORY
from taxi_duration.trips.schema import conform

ROOT: Final = Path(__file__).resolve().parents[1]
BIN: Final = Path(sys.executable).parent
# Two months of 60,000 trips, which is what the pipeline trains on by default.
MONTHS: Final = Window(datetime(2022, 1, 1), datetime(2022, 3, 1))
TRIPS_PER_DAY: Final = 2_000
SEED: Final = 42
# Requests that take turns, as the trips of an hour do: the service keeps their answers.
TRIPS: Final = 2_000
# Requests that do not come again before the service has forgotten them.
UNKEPT_TRIPS: Final = 6 * MOST_KEPT
LIST_LENGTHS: Final = (100, 1_000, 10_000)
# Enough to keep every worker busy; more would only wait.
CONNECTIONS: Final = 16
# Of so many callers hardly one still waits for an answer when its next request would be due: what
# they ask comes by chance alone, many at once as well.
CROWD: Final = 64
WARM_UP_SECONDS: Final = 2
NOBODY: Final = "http://127.0.0.1:9"


class Round(NamedTuple):
    """What wrk measured: answers a second, and milliseconds."""

    rps: float
    p50: float
    p99: float


class Trips(NamedTuple):
    """The trips that are asked, as JSON of the service and as the features of the model."""

    json: list[dict[str, Any]]
    features: Floats


def default_model() -> DurationModel:
    """A model of simulated trips, of the size that the pipeline trains by default."""
    raw = conform(pa.concat_tables(SimulatedCity(SEED, TRIPS_PER_DAY).parts(MONTHS)))
    lasting = pc.and_(
        pc.greater_equal(raw["trip_seconds"], 60.0), pc.less_equal(raw["trip_seconds"], 3_600.0)
    )
    return fit_default(raw.filter(lasting), seed=SEED, min_minutes=1, max_minutes=60)


def some_trips(count: int) -> Trips:
    """Trips between any two areas at any time of a month; one of twenty areas is unknown."""
    random = np.random.default_rng(SEED)
    areas = random.integers(1, 78, (2, count)).astype(float)
    areas[random.random((2, count)) < 0.05] = np.nan
    # A month in which the clocks are not changed: an hour that Chicago skipped is refused.
    start = np.datetime64("2022-04-01", "s") + random.integers(0, 30 * 86_400, count)
    known = [[None if np.isnan(area) else int(area) for area in side] for side in areas]
    return Trips(
        [
            {
                "pickup_community_area": pickup,
                "dropoff_community_area": dropoff,
                "trip_start_timestamp": str(moment),
            }
            for pickup, dropoff, moment in zip(*known, start, strict=True)
        ],
        feature_matrix(areas[0], areas[1], start),
    )


def keep(model: DurationModel, home: Path) -> None:
    """Leave the model where the service looks for the last good one."""
    model.save(home / "model")
    version = ModelVersion("taxi-duration", "1", "0" * 32, "simulated", [], {}, datetime.now(UTC))

    def copy(version: ModelVersion, folder: Path) -> Path:
        return Path(shutil.copytree(home / "model", folder / version.version))

    Shelf(home / "service" / "models", load_settings(home=home).model_name).fetch(version, copy)


def gunicorn(application: str, home: Path, port: int, extra: Sequence[str]) -> dict[str, Any]:
    """How an application is started as the service is; `extra` are options of gunicorn."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TAXI_")}
    return {
        "args": [
            *(sys.executable, "-m", "gunicorn", "-c", str(ROOT / "web-service/gunicorn.conf.py")),
            *("--pythonpath", str(ROOT / "benchmarks"), *extra, application),
        ],
        "env": {
            **environment,
            "TAXI_HOME": str(home),
            "TAXI_SERVICE_PORT": str(port),
            # In memory, as the stack and the containers have it.
            "TAXI_METRICS_FOLDER": str(
                MEMORY / f"{home.name}-{port}" if MEMORY.exists() else home / "metrics"
            ),
            "TAXI_MLFLOW_URL": NOBODY,
            "TAXI_SERVICE_WORKERS": os.environ.get("TAXI_SERVICE_WORKERS", "2"),
        },
    }


def mlflow_serve(model: DurationModel, home: Path, port: int) -> dict[str, Any]:
    """How `mlflow models serve` is started, with as many workers as the service has."""
    package = home / "package"
    save_package(model, package, Model())
    return {
        "args": [
            *(str(BIN / "mlflow"), "models", "serve", "-m", str(package)),
            *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", os.environ.get("TAXI_SERVICE_WORKERS", "2")),
        ],
        # It starts uvicorn by its name.
        "env": {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        "cwd": home,
    }


@contextmanager
def running(how: Mapping[str, Any], ready: str, log: Path) -> Iterator[None]:
    """The process, once the page `ready` is answered; ended at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(**how, stdout=output, stderr=output)
    try:
        until = time.monotonic() + 120
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{how['args'][:3]} does not start:\n{log.read_text()}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _answers(page: str) -> bool:
    try:
        return httpx.get(page).is_success
    except httpx.TransportError:
        return False


def wrk(
    url: str, bodies: Path, seconds: float, connections: int, pause: float | None = None
) -> Round:
    """A round of load on `url`. Leaves the program where a request failed."""
    paused = [] if pause is None else [str(pause)]
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s"),
            *("-s", str(ROOT / "benchmarks/load.lua"), url, "--", str(bodies), *paused),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    if measured["errors"]:
        sys.exit(f"{measured['errors']} requests to {url} failed:\n{done.stdout}")
    return Round(measured["requests"] / measured["seconds"], measured["p50"], measured["p99"])


def take_turns(
    rounds: int, contenders: Mapping[str, Callable[[], float]]
) -> dict[str, list[float]]:
    """What each contender measured in each round."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            figures[name].append(measure())
    return figures


def ratio(figures: Mapping[str, list[float]], a: str, b: str) -> float:
    """The median over rounds of a to b: neighbours in time, so that both had the same machine."""
    return median(x / y for x, y in zip(figures[a], figures[b], strict=True))


def requests_a_second(url: str, bodies: Path, seconds: float) -> float:
    """The most that a server answers."""
    return wrk(url, bodies, seconds, CONNECTIONS).rps


def service_rows(url: str, lists: Path, seconds: float, length: int) -> float:
    """Rows a second of a caller that asks for lists of this length, one after the other."""
    return 1_000 * length / wrk(url, lists, seconds, 1).p50


def booster_rows(model: DurationModel, features: Floats) -> float:
    """Rows a second that the three boosters alone reach, with one thread."""
    return median(_booster_rows(model, features) for _ in range(max(3, 3_000 // len(features))))


def _booster_rows(model: DurationModel, features: Floats) -> float:
    began = time.perf_counter()
    for booster in model.boosters:
        booster.predict(features, num_threads=1)
    return len(features) / (time.perf_counter() - began)


def written(path: Path, bodies: Sequence[object]) -> Path:
    """A file with one body a line."""
    path.write_text("".join(json.dumps(body) + "\n" for body in bodies))
    return path


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    free = (port for port in range(31_000, 32_000) if is_free(port, "127.0.0.1"))
    return [next(free) for _ in range(count)]


def one_trip(urls: Mapping[str, str], home: Path, trips: Trips, options: Any) -> dict[str, float]:
    """Requests a second for one trip, of each server, and the service's latency at half of that."""
    bodies = written(home / "trips", trips.json[:TRIPS])
    records = written(home / "records", [{"dataframe_records": [t]} for t in trips.json[:TRIPS]])
    files = {name: records if name == "mlflow" else bodies for name in urls}
    urls, files = (
        {**urls, "unkept": urls["service"]},
        {**files, "unkept": written(home / "all", trips.json)},
    )
    for name, url in urls.items():
        wrk(url, files[name], WARM_UP_SECONDS, CONNECTIONS)
    figures = take_turns(
        options.rounds,
        {
            name: partial(requests_a_second, urls[name], files[name], options.seconds)
            for name in urls
        },
    )
    rps = {f"{name}_rps": median(values) for name, values in figures.items()}
    for name, value in rps.items():
        print(f"{name:24} {value:10,.0f}")
    print(f"service to ceiling       {ratio(figures, 'service', 'ceiling'):10.2f}")
    print(f"unkept to ceiling        {ratio(figures, 'unkept', 'ceiling'):10.2f}")
    if "mlflow" in figures:
        print(f"service to mlflow        {ratio(figures, 'service', 'mlflow'):10.1f}")
    # Half as much, from the callers that make the most, and from a crowd of them.
    for prefix, connections in (("", CONNECTIONS), ("crowd_", CROWD)):
        measured = latency(urls, bodies, connections, rps["service_rps"] / 2, options)
        rps |= {f"{prefix}{name}": value for name, value in measured.items()}
    return rps


def latency(
    urls: Mapping[str, str], bodies: Path, connections: int, rps: float, options: Any
) -> dict[str, float]:
    """Milliseconds until the service and the constant answer, at so many requests a second."""
    # The constant shows what the machine does to any answer while the load runs on it as well.
    names = ("service", "ceiling")
    pauses = {name: pause_for(urls[name], bodies, connections, rps) for name in names}
    rounds: dict[str, list[Round]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name, measured in rounds.items():
            measured.append(wrk(urls[name], bodies, options.seconds, connections, pauses[name]))
    figures: dict[str, float] = {}
    for name, measured in rounds.items():
        p50, p99 = median(r.p50 for r in measured), median(r.p99 for r in measured)
        print(
            f"{name} at {median(r.rps for r in measured):,.0f} requests a second of {connections}"
            f" connections: p50 {p50:.2f} ms, p99 {p99:.2f} ms, {p99 / p50:.2f} times as long"
        )
        prefix = "" if name == "service" else f"{name}_"
        figures |= {f"{prefix}p50_ms": p50, f"{prefix}p99_ms": p99}
    return figures


def pause_for(url: str, bodies: Path, connections: int, rps: float) -> float:
    """Milliseconds that each connection waits, on average, where so many requests a second come."""
    turn = 1_000 * connections / rps
    pause = turn
    for _ in range(2):
        # A turn is a pause and an answer; how long that takes, the last round tells.
        measured = wrk(url, bodies, WARM_UP_SECONDS, connections, pause)
        pause += turn - 1_000 * connections / measured.rps
    return pause


def lists(
    url: str, home: Path, model: DurationModel, trips: Trips, options: Any
) -> dict[str, float]:
    """Rows a second of the service and of the boosters, for lists of several lengths."""
    for length in LIST_LENGTHS:
        starts = range(0, len(trips.json) - length + 1, length)
        body = written(home / f"list-{length}", [trips.json[n : n + length] for n in starts])
        figures = take_turns(
            options.rounds,
            {
                "service": partial(service_rows, url, body, options.seconds, length),
                "booster": partial(booster_rows, model, trips.features[:length]),
            },
        )
        service, booster = (median(figures[name]) for name in ("service", "booster"))
        share = ratio(figures, "service", "booster")
        print(f"lists of {length:6,}: {service:9,.0f} rows/s, booster {booster:9,.0f}: {share:.2f}")
    return {"batch_rows_per_s": service, "booster_rows_per_s": booster}


def main() -> None:
    """Print the benchmark's table; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each contender")
    parser.add_argument("--seconds", type=float, default=2, help="seconds of a round")
    parser.add_argument("--model", type=Path, help="folder of a saved model; fitted where left out")
    parser.add_argument("--no-mlflow", action="store_true", help="leave `mlflow models serve` out")
    parser.add_argument("--no-lists", action="store_true", help="leave lists out")
    parser.add_argument("gunicorn", nargs="*", help="options of gunicorn, after --")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit(
            "The load comes from wrk, which is not here: apt-get install wrk (Debian, Ubuntu)."
        )
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = DurationModel.load(options.model) if options.model else default_model()
        keep(model, home)
        trips = some_trips(UNKEPT_TRIPS)
        ports = free_ports(3)
        at = dict(zip(("ceiling", "service", "mlflow"), ports, strict=True))
        hows = {
            name: gunicorn(f"{module}:create_app()", home, at[name], options.gunicorn)
            for name, module in (("ceiling", "ceiling"), ("service", "duration_service"))
        }
        if not options.no_mlflow:
            hows["mlflow"] = mlflow_serve(model, home, at["mlflow"])
        pages = {"ceiling": "health", "service": "ready", "mlflow": "ping"}
        for name, how in hows.items():
            ready = f"http://127.0.0.1:{at[name]}/{pages[name]}"
            stack.enter_context(running(how, ready, home / f"{name}.log"))
        urls = {
            name: f"http://127.0.0.1:{at[name]}/{'invocations' if name == 'mlflow' else 'predict'}"
            for name in hows
        }
        figures = one_trip(urls, home, trips, options)
        if not options.no_lists:
            figures |= lists(urls["service"], home, model, trips, options)
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
