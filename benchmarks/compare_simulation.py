"""Hold the simulated city against the real one and write docs/simulation.md.

`python benchmarks/compare_simulation.py FOLDER` needs the samples of real trips in the folder.
"""

import argparse
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import lightgbm as lgb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxi_duration.areas import AREAS, OHARE
from taxi_duration.simulation import figures
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.geography import distances
from taxi_duration.simulation.source import Window

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs/simulation.md"
# Every day of the sample but the first, a holiday, which the simulated city does not know.
WEEK = Window(datetime(2019, 1, 2), datetime(2019, 1, 11, 13))
# As many trips a day as the real city had, so that chance is the same on both sides.
BUSY = SimulatedCity(42, trips_per_day=36_000)

TEXT = """\
# The simulated city, and how near it is to the real one

`taxi city-api` stands in for the City's API where that cannot be reached. It serves real trips from
files (`--trips`), or simulated ones: any month since 2013 up to the month before last, the same
for the same seed, {trips:,} trips a day (`TAXI_SIMULATED_TRIPS_PER_DAY`) against the 10,000 to
45,000 of the real city. What is learned from simulated trips holds for the simulated city only, so
everything made from them is marked `simulated`.

The simulation is built from figures measured on three samples of the City's open data, which stand
in `src/taxi_duration/simulation/calibration.py`; `benchmarks/calibrate_simulation.py` makes that
file and `benchmarks/compare_simulation.py` makes this page. The samples are not in the repository.

- **[week]** all trips of 1 to 11 January 2019 (399,964 rows; six columns)
- **[months]** trips of 37 smaller companies, January to September 2019 (364,402 rows)
- **[day]** all trips of 1 March 2022 (14,636 rows; all 23 columns)

No sample has October to December: season and pace of those months are assumed. Holidays and the
weather of a day are not simulated, beyond days that are a few percent slower or faster by chance.
`tests/simulation/test_calibration.py` holds the simulation to the figures below.

## Duration and distance
[week], from 2 January. Minutes and miles over all rows, dirt included.

{quantiles}

## Dirt
Percent of rows. Dirt comes by company, as it does in the samples: some count whole minutes, the
largest of those records no miles for a third of its trips, one knows no areas at all.

{dirt}

Further dirt, as in [day]: a fare that is sixty times too high, an odometer that shows 512 miles, a
trip that is there twice under two ids, companies that are spelled in two ways, missing seconds.

## Pairs of areas
[week], the twenty busiest pairs: percent of trips, and median minutes of trips of 1 to 60 minutes.
Over all pairs, {overlap:.0f}% of the trips would have to change their pair to make both the same.

{pairs}

## Hours
[week]: percent of trips that start in the hour, and their mean minutes.

{hours}

## Months
[months]: median minutes, and percent of pickups at O'Hare. The 37 companies ride longer trips
than all companies do, so the two sides compare by how they move, not by their level.

{months}

## Money and privacy
[day]: percent of rows by payment type and with tracts shown, then quantiles. The day of 2022 has
more long trips than the simulated city, which rides as in 2019, so dollars are given for trips of
1 to 5 miles.

{day}

## What models make of it
Mean absolute error in minutes on 9 to 11 January of what was learned from 2 to 8 January, from all
trips and from 40,000. The last row is gradient boosting on areas, centroids, hour and weekday; the
one above it is the median of pair, hour and weekend. They rank alike in both cities.

{models}
"""


def main(folder: Path) -> None:
    """Measure both sides and write the page."""
    week = pq.read_table(folder / "2019_jan01_11_raw15min.parquet")
    week = week.filter(pc.field("trip_start_timestamp") >= pa.scalar(WEEK.start))
    months = pq.read_table(folder / "2019_jan_sep_hourly_companies.parquet")
    day = pq.read_table(folder / "2022_03_01_full_schema.parquet")
    made = simulated(WEEK)
    page = TEXT.format(
        trips=5_000,
        quantiles=quantile_table(week, made),
        dirt=dirt_table(week, made, day),
        overlap=moved(week, made) * 100,
        pairs=pair_table(week, made),
        hours=hour_table(week, made),
        months=month_table(months),
        day=day_table(day, simulated(Window(datetime(2022, 3, 1), datetime(2022, 3, 2)))),
        models=model_table(week, made),
    )
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(page, encoding="utf-8")
    print(f"{TARGET} written")


def simulated(window: Window, city: SimulatedCity = BUSY) -> pa.Table:
    """The simulated trips of a window."""
    return pa.concat_tables(city.parts(window))


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    lines = [list(header)]
    lines += [["---"] * len(lines[0])]
    lines += [[f"{x:.1f}" if isinstance(x, float) else str(x) for x in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def quantile_table(real: pa.Table, made: pa.Table) -> str:
    """Quantiles of minutes and miles."""
    rows = []
    for name, column, unit in (("minutes", "trip_seconds", 60), ("miles", "trip_miles", 1)):
        for side, trips in (("real", real), ("simulated", made)):
            found = [value / unit for value in figures.quantiles(trips, column)]
            mean = pc.mean(trips[column]).as_py() / unit
            rows.append([name, side, *found, mean])
    return table(["", "", *(f"{q:.0%}" for q in figures.QUANTILES), "mean"], rows)


def dirt_table(real: pa.Table, made: pa.Table, day: pa.Table) -> str:
    """Shares of each kind of dirt, in percent."""
    week, then, ours = figures.dirt(real), figures.dirt(day), figures.dirt(made)
    show = [
        [kind, 100 * week[kind] if kind in week else "", 100 * ours[kind], 100 * then[kind]]
        for kind in ours
    ]
    text = [[f"{x:.2f}" if isinstance(x, float) else x for x in row] for row in show]
    return table(["", "[week]", "simulated", "[day]"], text)


def moved(real: pa.Table, made: pa.Table) -> float:
    """Share of trips by which the pairs differ (total variation)."""
    sides = [
        figures.pairs(t).to_pandas().set_index(["pickup", "dropoff"]).share for t in (real, made)
    ]
    return float(sides[0].sub(sides[1], fill_value=0).abs().sum() / 2)


def pair_table(real: pa.Table, made: pa.Table) -> str:
    """The busiest pairs."""
    ours = {(row["pickup"], row["dropoff"]): row for row in figures.pairs(made).to_pylist()}
    rows = []
    for row in figures.pairs(real).slice(0, 20).to_pylist():
        pair = row["pickup"], row["dropoff"]
        names = " to ".join(AREAS[number - 1].name for number in pair)
        other = ours[pair]
        rows.append(
            [names, row["share"] * 100, other["share"] * 100, row["minutes"], other["minutes"]]
        )
    return table(["", "real %", "simulated %", "real min", "simulated min"], rows)


def hour_table(real: pa.Table, made: pa.Table) -> str:
    """Share and mean minutes by hour."""
    columns = [
        [100 * share for share in figures.hours(real)],
        [100 * share for share in figures.hours(made)],
        figures.minutes_by_hour(real),
        figures.minutes_by_hour(made),
    ]
    rows = [[f"{hour}:00", *values] for hour, values in enumerate(zip(*columns, strict=True))]
    return table(["", "real %", "simulated %", "real min", "simulated min"], rows)


def month_table(months: pa.Table) -> str:
    """Median minutes and O'Hare's share, January to September 2019."""
    rows = []
    for number in range(1, 10):
        window = Window(datetime(2019, number, 1), datetime(2019, number + 1, 1))
        start = pc.field("trip_start_timestamp")
        real = months.filter((start >= pa.scalar(window.start)) & (start < pa.scalar(window.end)))
        made = simulated(window, SimulatedCity(42))
        row: list[object] = [f"{window.start:%B}"]
        for side in (figures.usable(real), figures.usable(made)):
            ohare = pc.mean(pc.equal(side["pickup_community_area"], OHARE).cast(pa.float64()))
            row += [figures.quantiles(side, "trip_seconds", [0.5])[0] / 60, 100 * ohare.as_py()]
        rows.append(row)
    return table(["", "real min", "real O'Hare %", "simulated min", "simulated O'Hare %"], rows)


def day_table(real: pa.Table, made: pa.Table) -> str:
    """Payments, tracts, fares."""
    rows: list[list[object]] = []
    for kind in sorted(set(real["payment_type"].to_pylist())):
        paid = [pc.equal(trips["payment_type"], kind) for trips in (real, made)]
        rows.append([kind, *(100 * pc.mean(these.cast(pa.float64())).as_py() for these in paid)])
    shown = [100 * (1 - figures.dirt(trips)["no pickup_census_tract"]) for trips in (real, made)]
    rows.append(["pickup tract shown", *shown])
    for name, part, whole in (
        ("fare a mile, dollars", "fare", "trip_miles"),
        ("tip, percent of fare", "tips", "fare"),
    ):
        rows += [
            [f"{name}, {q:.0%}", *(ratio(trips, part, whole, q) for trips in (real, made))]
            for q in (0.25, 0.5, 0.75)
        ]
    return table(["", "real", "simulated"], rows)


def ratio(trips: pa.Table, part: str, whole: str, at: float) -> float:
    """A quantile of one column by another, of trips of 1 to 5 miles that have both."""
    kept = trips.filter(
        (pc.field("trip_miles") > 1) & (pc.field("trip_miles") < 5) & (pc.field(part) > 0)
    )
    ratios = pc.divide(kept[part], kept[whole])
    return float(pc.quantile(ratios, at)[0].as_py()) * (100 if part == "tips" else 1)


def model_table(real: pa.Table, made: pa.Table) -> str:
    """Errors of four models in both cities."""
    columns = [errors(trips, size) for trips in (real, made) for size in (None, 40_000)]
    names = ("one median", "median of pair", "median of pair, hour, weekend", "gradient boosting")
    rows = [[name, *(f"{c[n]:.2f}" for c in columns)] for n, name in enumerate(names)]
    return table(["", "real, all", "real, 40,000", "simulated, all", "simulated, 40,000"], rows)


def errors(trips: pa.Table, size: int | None) -> list[float]:
    """Mean absolute errors in minutes: one median, of pair, of pair and time, boosting."""
    data = learnable(trips)
    past = data[data.start < "2019-01-09"]
    test, train = (
        data[data.start >= "2019-01-09"],
        past.sample(size, random_state=1) if size else past,
    )
    guess = train.minutes.median()
    by_pair = lookup(train, test, ["pickup", "dropoff"]).fillna(guess)
    by_time = lookup(train, test, ["pickup", "dropoff", "weekend", "hour"]).fillna(by_pair)
    features = ["pickup", "dropoff", "miles", "hour", "quarter", "weekday"]
    settings = {
        "objective": "l1",
        "num_leaves": 63,
        "min_data_in_leaf": 50,
        "verbose": -1,
        "seed": 1,
    }
    model = lgb.train(settings, lgb.Dataset(train[features], train.minutes), 150)
    predictions = guess, by_pair, by_time, model.predict(test[features])
    return [float((prediction - test.minutes).abs().mean()) for prediction in predictions]


def lookup(train: pd.DataFrame, test: pd.DataFrame, keys: list[str]) -> pd.Series:
    """The training trips' median for each test trip; none where there is no such training trip."""
    return test.join(train.groupby(keys).minutes.median().rename("found"), on=keys).found


def learnable(trips: pa.Table) -> pd.DataFrame:
    """Usable trips with the columns that the models above read."""
    data = figures.usable(trips).to_pandas()
    start = data.trip_start_timestamp
    pickup, dropoff = (data[f"{end}_community_area"].astype(int) for end in ("pickup", "dropoff"))
    return pd.DataFrame({
        "start": start, "minutes": data.trip_seconds.astype(float) / 60,
        "pickup": pickup, "dropoff": dropoff, "miles": distances()[pickup - 1, dropoff - 1],
        "hour": start.dt.hour, "quarter": start.dt.hour * 4 + start.dt.minute // 15,
        "weekday": start.dt.weekday, "weekend": start.dt.weekday >= 5,
    })  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the samples of real trips are")
    main(parser.parse_args().folder)
