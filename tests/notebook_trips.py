"""Stand-ins for the files of real trips that the notebook reads, from the simulated city."""

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.source import Window
from taxi_duration.trips.schema import REQUIRED_COLUMNS, conform

# As `benchmarks/ablation.py` calls them; the real ones are never committed.
DAYS_FILE = "2019_jan01_11_raw15min.parquet"
MONTHS_FILE = "2019_jan_sep_hourly_companies.parquet"
WEATHER_FILE = "weather_hourly_2018_11_2019_12.parquet"
BEGIN = datetime(2019, 1, 1)


def write_stand_ins(folder: Path) -> None:
    """Eleven days and nine months of trips, and the weather of these, as the real files have it."""
    _write_trips(folder / DAYS_FILE, datetime(2019, 1, 12), trips_per_day=1_000)
    _write_trips(folder / MONTHS_FILE, datetime(2019, 10, 1), trips_per_day=40)
    _write_weather(folder / WEATHER_FILE, datetime(2019, 10, 1))


def _write_trips(path: Path, end: datetime, trips_per_day: int) -> None:
    city = SimulatedCity(seed=7, trips_per_day=trips_per_day, today=lambda: date(2026, 11, 22))
    trips = conform(pa.concat_tables(city.parts(Window(BEGIN, end))))
    pq.write_table(trips.select(REQUIRED_COLUMNS), path)


def _write_weather(path: Path, end: datetime) -> None:
    hours = [BEGIN + timedelta(hours=n) for n in range((end - BEGIN) // timedelta(hours=1))]
    noise = np.random.default_rng(7)
    columns = {
        "date": [f"{hour:%Y-%m-%d}" for hour in hours],
        "hour": [hour.hour for hour in hours],
        "temperature": noise.normal(50, 15, len(hours)),
        "precipIntensity": noise.exponential(0.01, len(hours)),
        "windSpeed": noise.gamma(2, 4, len(hours)),
        "visibility": noise.uniform(2, 10, len(hours)),
    }
    pq.write_table(pa.table(columns), path)
