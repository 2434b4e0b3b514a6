"""What each idea for the model brings: `python benchmarks/ablation.py FOLDER_OF_REAL_TRIPS`.

Every idea is fitted and measured on splits within the training part of the three splits that the
model is judged by; the trips that judge it are never read here. A figure is by how many percent an
idea's MAE is under that of the floor, on average over the splits of a family. The trips of a month
and of a day are sampled, so that all takes some minutes on one core; with more trips the floor is
better and all gains are smaller.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxi_duration.model.baselines import MedianTable, fit_floor
from taxi_duration.model.dataset import Sample, target_minutes, trip_features
from taxi_duration.model.features import FEATURES, Floats
from taxi_duration.model.history import column, known_calendar, lost_areas, recency
from taxi_duration.model.training import PARAMETERS, booster_parameters
from taxi_duration.trips.files import read_trips
from taxi_duration.trips.schema import conform

MONTHS_FILE: Final = "2019_jan_sep_hourly_companies.parquet"
DAYS_FILE: Final = "2019_jan01_11_raw15min.parquet"
WEATHER_FILE: Final = "weather_hourly_2018_11_2019_12.parquet"
TRACTS_FILE: Final = "2022_03_01_full_schema.parquet"
FAMILIES: Final = ("months", "days", "one day")
# First moment of the fit, of the test, and the end of the test.
_MONTHS: Final = [((1, 1), (4, 1), (6, 1)), ((1, 1), (5, 1), (7, 1)), ((1, 1), (6, 1), (8, 1))]
_DAYS: Final = [((1, 1), (1, 6), (1, 9)), ((1, 1), (1, 7), (1, 9)), ((1, 1), (1, 8), (1, 9))]
_ONE_DAY: Final = [((1, 2), (1, 3), (1, 5)), ((1, 3), (1, 4), (1, 5)), ((1, 7), (1, 8), (1, 9))]
_SHARES: Final[dict[str, float]] = {"months": 0.2, "days": 0.2, "one day": 0.5}
# Fewer rounds at twice the rate of the default model: the differences are the same.
_FIT: Final = {**PARAMETERS, "rounds": 150, "learning_rate": 0.1, "seed": 42}
_DEFAULT_HALF_LIFE: Final = float(PARAMETERS["half_life_days"])


class Trips(NamedTuple):
    """n trips, and their starts."""

    sample: Sample
    start: Any


class Split(NamedTuple):
    """The earlier trips and the later ones."""

    family: str
    train: Trips
    test: Trips


class Design(NamedTuple):
    """The default model with something changed."""

    half_life: float = _DEFAULT_HALF_LIFE
    keep_lost_areas: bool = False
    # Makes the booster's features of the given ones.
    features: Callable[[Floats], Floats] = known_calendar
    # Columns besides, of trips, learnt from the training trips: (train, test) -> two matrices.
    more: Callable[[Trips, Trips], tuple[Floats, Floats]] | None = None
    categories: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = {}
    pace: bool = False
    on_floor: bool = False
    latest_days: int | None = None


def scale_down(share: float) -> None:
    """Read that share of the trips only."""
    for family in FAMILIES:
        _SHARES[family] *= share


def splits(folder: Path) -> Iterator[Split]:
    """The splits of each family."""
    months = _load(folder / MONTHS_FILE, _SHARES["months"])
    yield from (_cut("months", months, *bounds) for bounds in _MONTHS)
    days = _load(folder / DAYS_FILE, _SHARES["days"])
    yield from (_cut("days", days, *bounds) for bounds in _DAYS)
    days = _load(folder / DAYS_FILE, _SHARES["one day"])
    yield from (_cut("one day", days, *bounds) for bounds in _ONE_DAY)


def predict(design: Design, train: Trips, test: Trips) -> Floats:
    """Minutes for the test trips."""
    train = _usable(design, train)
    features, asked = train.sample.features, test.sample.features
    # Both sides together, since a history of days covers no week even if test and history do.
    fitted, wanted = design.features(features), asked
    if design.more:
        besides = design.more(train, test)
        fitted, wanted = np.hstack([fitted, besides[0]]), np.hstack([wanted, besides[1]])
    scale, scale_asked = _scale(design, features), _scale(design, asked)
    base, base_asked = _base(design, train, test)
    weight = recency(features, design.half_life)
    data = lgb.Dataset(
        fitted,
        train.sample.minutes / scale - base,
        # A minute counts the same, whatever it is a share of.
        weight=weight * scale,
        categorical_feature=[FEATURES.index(name) for name in design.categories],
    )
    options = {**booster_parameters(_FIT), "objective": "l1", **design.parameters}
    booster = lgb.train(options, data, int(_FIT["rounds"]))
    return np.asarray((booster.predict(wanted, num_threads=1) + base_asked) * scale_asked)


def _usable(design: Design, trips: Trips) -> Trips:
    keep = np.ones(len(trips.start), dtype=bool)
    if not design.keep_lost_areas:
        keep &= ~lost_areas(trips.sample.features)
    if design.latest_days:
        day = column(trips.sample.features, "day")
        keep &= day > day.max() - design.latest_days
    return Trips(trips.sample.only(keep), trips.start[keep])


def _scale(design: Design, features: Floats) -> Floats:
    """Miles to go where the pace is learnt, and one more, as no trip takes no time."""
    if not design.pace:
        return np.ones(len(features))
    return 1 + np.nan_to_num(column(features, "miles"), nan=5.0)


def _base(design: Design, train: Trips, test: Trips) -> tuple[Any, Any]:
    if not design.on_floor:
        return 0.0, 0.0
    floor = fit_floor(train.sample)
    return floor.predict(train.sample.features), floor.predict(test.sample.features)


def without(*names: str) -> Callable[[Floats], Floats]:
    """The default features but those."""

    def features(given: Floats) -> Floats:
        kept = known_calendar(given)
        kept[:, [FEATURES.index(name) for name in names]] = 0
        return kept

    return features


def with_calendar(*names: str) -> Callable[[Floats], Floats]:
    """The default features and parts of the calendar that the history may not cover twice."""

    def features(given: Floats) -> Floats:
        kept = known_calendar(given)
        places = [FEATURES.index(name) for name in names]
        kept[:, places] = given[:, places]
        return kept

    return features


def pair_statistics(train: Trips, test: Trips) -> tuple[Floats, Floats]:
    """The mean of a trip's pair without the trip itself, drawn to the mean of all."""
    prior = 20
    overall = train.sample.minutes.mean()
    pairs, asked = _pairs(train), _pairs(test)
    sums, counts = (np.bincount(pairs, w, 78 * 78) for w in (train.sample.minutes, None))
    own = (sums[pairs] - train.sample.minutes + prior * overall) / (counts[pairs] - 1 + prior)
    later = (sums[asked] + prior * overall) / (counts[asked] + prior)
    return own[:, None], later[:, None]


def pair_hour_statistics(train: Trips, test: Trips) -> tuple[Floats, Floats]:
    """The floor's median of a trip's group: of the other half of the trips, in training."""
    half = np.random.default_rng(0).random(len(train.start)) < 0.5
    own = np.empty(len(half))
    for side in (half, ~half):
        table: MedianTable = fit_floor(train.sample.only(side))
        own[~side] = table.predict(train.sample.features[~side])
    return own[:, None], fit_floor(train.sample).predict(test.sample.features)[:, None]


def weather(folder: Path) -> Callable[[Trips, Trips], tuple[Floats, Floats]]:
    """Temperature, rain or snow, wind and sight in the hour of the start, as if forecast."""
    names = ["temperature", "precipIntensity", "windSpeed", "visibility"]
    hours = pq.read_table(folder / WEATHER_FILE)
    moments = [
        np.datetime64(day, "h") + np.timedelta64(hour, "h")
        for day, hour in zip(hours["date"].to_pylist(), hours["hour"].to_pylist(), strict=True)
    ]
    order = np.argsort(moments)
    known = np.array(moments)[order]
    values = np.column_stack([hours[name].to_numpy() for name in names])[order].astype(float)

    def of(trips: Trips) -> Floats:
        place = np.searchsorted(known, trips.start.astype("datetime64[h]"))
        return np.asarray(values[np.minimum(place, len(known) - 1)])

    return lambda train, test: (of(train), of(test))


def day_of_year(train: Trips, test: Trips) -> tuple[Floats, Floats]:
    """The season, as the day of the year."""
    own, later = (
        (t.start.astype("datetime64[D]") - t.start.astype("datetime64[Y]")).astype(float)[:, None]
        for t in (train, test)
    )
    return own, later


def ideas(folder: Path) -> dict[str, Design]:
    """Every idea, as the default model with it, or without where that says so."""
    # LightGBM has no monotone constraints for the absolute error.
    huber = {"objective": "huber", "alpha": 2.0}
    monotone = [int(name == "miles") for name in FEATURES]
    centroids = [
        f"{end}_{way}" for end in ("pickup", "dropoff") for way in ("latitude", "longitude")
    ]
    return {
        "**the default model**": Design(),
        "plain: none of weights, faults and calendar": Design(
            half_life=1e9, keep_lost_areas=True, features=with_calendar("weekday", "month")
        ),
        "without recency weights": Design(half_life=1e9),
        "half-life of 15 days": Design(half_life=15),
        "half-life of 60 days": Design(half_life=60),
        "the latest 30 days alone": Design(half_life=1e9, latest_days=30),
        "day as a feature, for the trend": Design(features=with_calendar("day")),
        "day of the year, for the season": Design(more=day_of_year),
        "trips of days that lost areas kept": Design(keep_lost_areas=True),
        "month in any history": Design(features=with_calendar("month")),
        "weekday in any history": Design(features=with_calendar("weekday")),
        "without holidays": Design(features=without("day_off")),
        "without airports": Design(features=without("pickup_airport", "dropoff_airport")),
        "without direction": Design(features=without("miles_north", "miles_east", "bearing")),
        "without the areas' centroids": Design(features=without(*centroids)),
        "without the areas' numbers": Design(features=without("pickup_area", "dropoff_area")),
        "areas as categories": Design(
            categories=("pickup_area", "dropoff_area"),
            parameters={"cat_smooth": 20, "min_data_per_group": 50},
        ),
        "pair mean, without the trip itself": Design(more=pair_statistics),
        "group median, of other trips": Design(more=pair_hour_statistics),
        "residual on the floor": Design(on_floor=True),
        "Huber's loss of 2 minutes": Design(parameters=huber),
        "the same, monotone in miles": Design(
            parameters={**huber, "monotone_constraints": monotone}
        ),
        "pace instead of duration": Design(pace=True),
        "weather of the hour": Design(more=weather(folder)),
        "squared error": Design(parameters={"objective": "l2"}),
        "31 leaves": Design(parameters={"num_leaves": 31}),
    }


def measure(folder: Path, designs: Mapping[str, Design]) -> dict[str, dict[str, float]]:
    """Percent under the floor's MAE by idea and family, told as they come."""
    cut = list(splits(folder))
    floors = [_mae(fit_floor(s.train.sample).predict(s.test.sample.features), s.test) for s in cut]
    found: dict[str, dict[str, float]] = {}
    for name, design in designs.items():
        gains: dict[str, list[float]] = {family: [] for family in FAMILIES}
        for split, floor in zip(cut, floors, strict=True):
            mae = _mae(predict(design, split.train, split.test), split.test)
            gains[split.family].append(100 * (1 - mae / floor))
        found[name] = {family: float(np.mean(all_)) for family, all_ in gains.items()}
        print(_row(name, found[name]), flush=True)
    return found


def centroids_of_trips(folder: Path) -> dict[str, float]:
    """MAE on the evening of one day, with the areas' centroids and with the trips' own ones."""
    raw = conform(pq.read_table(folder / TRACTS_FILE))
    seconds = raw["trip_seconds"]
    raw = raw.filter(pc.and_(pc.greater(seconds, 60), pc.less(seconds, 3600)))
    start = raw["trip_start_timestamp"].to_numpy()
    own = np.column_stack(
        [
            raw[f"{e}_centroid_{w}"].to_numpy()
            for e in ("pickup", "dropoff")
            for w in ("latitude", "longitude")
        ]
    )
    trips = Trips(Sample(trip_features(raw), target_minutes(raw)), start)
    early = start < np.datetime64("2022-03-01T17:00")
    train, test = (Trips(trips.sample.only(m), start[m]) for m in (early, ~early))
    design = Design(more=lambda _train, _test: (own[early], own[~early]), keep_lost_areas=True)
    plain = Design(keep_lost_areas=True)
    return {
        "centroids of areas": _mae(predict(plain, train, test), test),
        "centroids of trips (of tracts, where known) too": _mae(predict(design, train, test), test),
    }


def more_months(folder: Path) -> dict[str, float]:
    """MAE in June and July of what was learnt from one month before, from two, three and five."""
    months = _load(folder / MONTHS_FILE, _SHARES["months"])
    split = _cut("months", months, *_MONTHS[-1])
    return {
        f"{days} days": _mae(predict(Design(latest_days=days), split.train, split.test), split.test)
        for days in (31, 61, 92, 151)
    }


def _load(path: Path, share: float) -> Trips:
    table = read_trips([path], min_minutes=1, max_minutes=60)
    rows = np.random.default_rng(0).random(table.num_rows) < share
    table = table.filter(pa.array(rows))
    start = table["trip_start_timestamp"].to_numpy()
    return Trips(Sample(trip_features(table), target_minutes(table)), start)


def _cut(
    family: str, trips: Trips, begin: tuple[int, int], test: tuple[int, int], end: tuple[int, int]
) -> Split:
    moments = [np.datetime64(datetime(2019, *day)) for day in (begin, test, end)]
    sides = [(trips.start >= first) & (trips.start < until) for first, until in pairwise(moments)]
    train, later = (Trips(trips.sample.only(side), trips.start[side]) for side in sides)
    return Split(family, train, later)


def _pairs(trips: Trips) -> Any:
    areas = np.nan_to_num(trips.sample.features[:, :2]).astype(int)
    return areas[:, 0] * 78 + areas[:, 1]


def _mae(predicted: Floats, trips: Trips) -> float:
    return float(np.abs(predicted - trips.sample.minutes).mean())


def _row(name: str, gains: Mapping[str, float]) -> str:
    return f"| {name} | " + " | ".join(f"{gains[family]:.2f}" for family in FAMILIES) + " |"


def main() -> None:
    """Print the tables of docs/accuracy.md."""
    folder = Path(sys.argv[1])
    print(f"| idea | {' | '.join(FAMILIES)} |\n| --- | {' | '.join('---' for _ in FAMILIES)} |")
    measure(folder, ideas(folder))
    for name, mae in {**centroids_of_trips(folder), **more_months(folder)}.items():
        print(f"| {name} | {mae:.3f} min |")


if __name__ == "__main__":
    main()
