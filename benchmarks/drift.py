"""How a month's report grows with its trips: `make bench-drift`.

Each size is reported in a process of its own, from scored trips in Parquet files to the page, its
JSON and the figures of every column and segment, which is what the pipeline's step `drift_report`
does. The sizes take turns, so that a machine that is busy otherwise is so for each of them. Seconds
are medians and hold the imports; memory is the process's greatest. The last line is JSON.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_duration.monitoring.figures import CURRENT, REFERENCE, Subject
from taxi_duration.monitoring.scoring import FLOOR_COLUMN
from taxi_duration.trips.months import Month

SIZES: Final = (100_000, 1_000_000, 5_000_000)
SAMPLE: Final = 20_000
SEED: Final = 42
MONTHS: Final = {REFERENCE: "2019-02", CURRENT: "2019-03"}
# What the project promises of five million trips on two cores.
MOST_SECONDS: Final = 30
MOST_MEGABYTES: Final = 2_000


def scored(month: str, rows: int, seed: int) -> pa.Table:
    """Trips as `score_trips` stores them: a few per cent without an area, intervals, the floor."""
    chance = np.random.default_rng(seed)
    first = Month.parse(month)
    minutes = np.clip(chance.lognormal(2.5, 0.6, rows), 1, 60)
    prediction = np.clip(minutes + chance.normal(0, 4, rows), 1, 60)
    quarters = chance.integers(0, (first.end - first.start).days * 96, rows)
    start = np.sort(np.datetime64(first.start, "us") + quarters * np.timedelta64(15, "m"))
    weights = 1 / np.arange(1, 78)
    areas = chance.choice(np.arange(1, 78), (2, rows), p=weights / weights.sum())
    names = ("pickup_community_area", "dropoff_community_area")
    columns = {
        name: pa.array(values, pa.int16(), mask=chance.random(rows) < 0.05)
        for name, values in zip(names, areas, strict=True)
    }
    return pa.table(
        {
            "trip_start_timestamp": pa.array(start, pa.timestamp("us")),
            **columns,
            "trip_miles": minutes * chance.uniform(0.1, 0.4, rows),
            "trip_seconds": np.round(minutes * 60),
            "lower": prediction - 5,
            "prediction": prediction,
            "upper": prediction + 5,
            FLOOR_COLUMN: np.full(rows, 12.0),
        }
    )


def report(folder: Path) -> dict[str, float]:
    """Make the report of the trips in the folder, in this process."""
    started = time.perf_counter()
    from taxi_duration.monitoring.monthly import monthly_report  # noqa: PLC0415

    subject = Subject(
        month=MONTHS[CURRENT],
        source="simulated",
        model_version="1",
        reference_months=[MONTHS[REFERENCE]],
        lake_version=1,
        seed=SEED,
        threshold=0.5,
    )
    imported = time.perf_counter()
    read = {side: partial(pq.read_table, folder / f"{side}.parquet") for side in MONTHS}
    made = monthly_report(subject, read, sample=SAMPLE)
    (folder / "drift.html").write_text(made.html, encoding="utf-8")
    (folder / "drift.json").write_bytes(made.json)
    ended = time.perf_counter()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": ended - started,
        "importing": imported - started,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
    }


def in_its_own_process(folder: Path) -> dict[str, float]:
    """The same in a new process, whose memory is that of the report alone."""
    command = [sys.executable, __file__, "--report", str(folder)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(sizes: list[int], rounds: int) -> dict[int, dict[str, float]]:
    """The median of each figure by size."""
    found: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as temporary:
        for size in sizes:
            (folder := Path(temporary) / str(size)).mkdir()
            for seed, (side, month) in enumerate(MONTHS.items()):
                pq.write_table(scored(month, size, seed), folder / f"{side}.parquet")
        for number in range(rounds):
            for size in sizes:
                found[size].append(in_its_own_process(Path(temporary) / str(size)))
                print(f"round {number + 1}, {size:>9,} trips a side: {found[size][-1]}", flush=True)
    return {
        size: {name: round(median(each[name] for each in all_rounds), 1) for name in all_rounds[0]}
        for size, all_rounds in found.items()
    }


def main(arguments: argparse.Namespace) -> None:
    """Measure, show a table, and end with JSON."""
    figures = measure(arguments.sizes, arguments.rounds)
    print(
        "\n| trips a side | seconds | processor seconds | memory, MB |\n| --- | --- | --- | --- |"
    )
    for size, each in figures.items():
        row = (each["seconds"], each["processor_seconds"], each["megabytes"])
        print(f"| {size:,} | " + " | ".join(f"{value:,.1f}" for value in row) + " |")
    largest: dict[str, Any] = figures[max(figures)]
    kept = largest["seconds"] < MOST_SECONDS and largest["megabytes"] < MOST_MEGABYTES
    bounds = f"{MOST_SECONDS} s and {MOST_MEGABYTES:,} MB"
    print(f"\nThe largest month is {'within' if kept else 'OVER'} {bounds}.")
    print(json.dumps({str(size): each for size, each in figures.items()}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="trips a side")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.report:
        print(json.dumps(report(given.report)))
    else:
        main(given)
