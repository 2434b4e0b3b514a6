"""Measure on real trips what the simulated city is built from, and write it down as constants.

`python benchmarks/calibrate_simulation.py FOLDER` reads the samples that docs/simulation.md names
and writes src/taxi_duration/simulation/calibration.py.
"""

import argparse
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from taxi_duration.areas import LOOP, MIDWAY, OHARE
from taxi_duration.simulation.geography import Floats, balance, distance_bins, distances, period_of
from taxi_duration.simulation.rides import FAR, hourly_pace

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src/taxi_duration/simulation/calibration.py"
WEEK, MONTHS, DAY = (
    "2019_jan01_11_raw15min.parquet",
    "2019_jan_sep_hourly_companies.parquet",
    "2022_03_01_full_schema.parquet",
)
KNOTS = (0, 1, 1.5, 1.8, 2.2, 3.3, 4.8, 6.1, 7.7, 9.8, 13, 15, 22)
MISSING = ("pickup_community_area", "dropoff_community_area")


def read(path: Path) -> pd.DataFrame:
    """The trips of one sample, areas and seconds as floats."""
    trips = pd.read_parquet(path)
    numbers = ["trip_seconds", *MISSING]
    return trips.astype(dict.fromkeys(numbers, float)).dropna(subset=["trip_seconds"])


def clean(trips: pd.DataFrame) -> pd.DataFrame:
    """Trips of 1 to 60 minutes whose areas are known, with what the measurements below group by."""
    trips = trips[trips.trip_seconds.between(60, 3600)].dropna(subset=list(MISSING)).copy()
    start = trips.trip_start_timestamp.dt
    trips["p"] = trips.pickup_community_area.astype(int) - 1
    trips["d"] = trips.dropoff_community_area.astype(int) - 1
    trips["log"] = np.log(trips.trip_seconds / 60)
    trips["hour"], trips["weekday"], trips["month"] = start.hour, start.weekday, start.month
    trips["miles_apart"] = distances()[trips.p, trips.d]
    trips["period"] = period_of(trips.hour.to_numpy(), (trips.weekday >= 5).to_numpy())
    return trips


def demand(trips: pd.DataFrame, months: pd.DataFrame) -> dict[str, object]:
    """When people ride, and from where to where."""
    kind = np.clip(months.weekday - 3, 0, 3)
    hours = months.groupby([kind, "hour"]).size().unstack()
    by_date = months.groupby([months.trip_start_timestamp.dt.date, "weekday", "month"]).size()
    by_weekday = by_date.groupby("weekday").mean() / by_date.groupby("weekday").mean().mean()
    by_month = by_date.groupby("month").mean() / by_date.mean()
    ohare = (months.p == OHARE - 1).groupby(months.month).mean()
    counts = np.stack(
        [
            np.bincount(g.p * 77 + g.d, minlength=77 * 77).reshape(77, 77)
            for _, g in trips.groupby("period")
        ]
    )
    factor, expected = pull(counts)
    return {
        "TRIPS_BY_HOUR": whole(hours.div(hours.sum(axis=1), axis=0).to_numpy() * 10_000),
        "TRIPS_BY_WEEKDAY": whole(by_weekday.to_numpy() * 100),
        "TRIPS_BY_MONTH": (*whole(by_month.to_numpy() * 100), 100, 100, 100),
        "OHARE_BY_MONTH": (*whole((ohare / ohare[1]).to_numpy() * 100), 160, 150, 120),
        "PICKUPS": whole(shares(counts.sum(axis=2)) * 100_000),
        "DROPOFFS": whole(shares(counts.sum(axis=1)) * 100_000),
        "PULL": tuple(np.round(factor, 2).tolist()),
        "EXPECTED": expected,
    }


def shares(counts: Floats) -> Floats:
    """Counts (periods, areas) as shares of each period; an area without a trip gets half a one."""
    counts = np.maximum(counts, 0.5)
    result: Floats = counts / counts.sum(axis=1, keepdims=True)
    return result


def pull(counts: Floats) -> tuple[Floats, Floats]:
    """How much likelier pairs are by distance than their areas explain; the pairs so expected."""
    bins = distance_bins()
    factor = np.ones(bins.max() + 1)
    pickups, dropoffs = shares(counts.sum(axis=2)), shares(counts.sum(axis=1))
    total = counts.sum(axis=(1, 2))[:, None, None]
    seen = np.bincount(bins.ravel(), counts.sum(axis=0).ravel())
    for _ in range(40):
        made = (balance(factor[bins], pickups, dropoffs) * total).sum(axis=0)
        factor *= seen / np.bincount(bins.ravel(), made.ravel())
    return factor / factor[0], made


def busy_pairs(trips: pd.DataFrame, expected: Floats) -> tuple[tuple[object, ...], ...]:
    """The 120 busiest pairs: trips against the gravity model's, minutes, miles driven."""
    pairs = trips.groupby(["p", "d"])
    busy = pairs.size().nlargest(120)
    minutes = np.exp(pairs.usual.median())
    miles = trips[trips.trip_miles > 0.1].groupby(["p", "d"]).trip_miles.median()
    return tuple(
        (
            p + 1,
            d + 1,
            round(100 * n / expected[p, d]),
            round(minutes[p, d], 1),
            round(miles[p, d], 2),
        )
        for (p, d), n in busy.sort_index().items()
    )


def pace(trips: pd.DataFrame, months: pd.DataFrame, expected: Floats) -> dict[str, object]:
    """How long a pair of areas takes, and how that moves with hour, weekday and month."""
    result: dict[str, object] = {}
    rest = months.log - months.groupby(["p", "d"]).log.transform("median")
    far = distances()[LOOP - 1]
    kind = np.where(months.miles_apart < FAR, 0, np.where(far[months.p] > far[months.d], 1, 2))
    kind = np.where(months.weekday >= 5, np.where(kind > 0, 4, 3), kind)
    hours = rest.groupby([kind, months.hour]).agg(["median", "size"])
    typical = rest.groupby([months.weekday >= 5, months.hour]).transform("median")
    fallback = typical.groupby([kind, months.hour]).median()
    hours = hours["median"].where(hours["size"] > 30, fallback)
    result["PACE_BY_HOUR"] = whole(np.exp(hours.unstack().to_numpy()) * 100)
    rest = rest - hours.reindex(pd.MultiIndex.from_arrays([kind, months.hour])).to_numpy()
    for name, column in (("PACE_BY_WEEKDAY", "weekday"), ("PACE_BY_MONTH", "month")):
        effect = rest.groupby(months[column]).median()
        rest = rest - months[column].map(effect)
        # Months that were not there.
        others = (102, 101, 99) if column == "month" else ()
        result[name] = (*whole(np.exp(effect.to_numpy()) * 100), *others)
    by_date = rest.groupby(months.trip_start_timestamp.dt.date).mean()
    result["PACE_BY_DAY_SPREAD"] = round(float(by_date.std()), 3)
    trips = trips.assign(usual=trips.log - np.log(pace_then(trips, result)))
    return result | pairs(trips) | {"BUSY_PAIRS": busy_pairs(trips, expected)}


def pace_then(trips: pd.DataFrame, figures: dict[str, object]) -> Floats:
    """What hour, weekday and month did to each trip, by the figures just measured."""
    start = trips.trip_start_timestamp.dt
    weekend, hour = (trips.weekday >= 5).to_numpy(), (trips.hour + start.minute / 60).to_numpy()
    table = np.array(figures["PACE_BY_HOUR"])
    hourly = hourly_pace(table, weekend, hour, trips.p.to_numpy(), trips.d.to_numpy())
    weekday, month = (
        np.array(figures[name]) / 100 for name in ("PACE_BY_WEEKDAY", "PACE_BY_MONTH")
    )
    result: Floats = hourly * weekday[trips.weekday] * month[trips.month - 1]
    return result


def pairs(trips: pd.DataFrame) -> dict[str, object]:
    """Minutes and miles by distance, what areas add, and the spread between trips of one pair."""
    knots = np.digitize(trips.miles_apart, (np.array(KNOTS[1:]) + KNOTS[:-1]) / 2)
    minutes = trips.usual.groupby(knots).median()
    driven = trips[trips.trip_miles > 0.1]
    miles = np.log(driven.trip_miles).groupby(knots[trips.trip_miles > 0.1]).median()
    rest = trips.usual - np.interp(trips.miles_apart, KNOTS, minutes)
    pickup, dropoff = np.zeros(77), np.zeros(77)
    for _ in range(10):
        pickup = shrunk(rest - dropoff[trips.d], trips.p)
        dropoff = shrunk(rest - pickup[trips.p], trips.d)
    rest = rest - pickup[trips.p] - dropoff[trips.d]
    by_pair = rest.groupby([trips.p, trips.d]).agg(["median", "size"])
    busy = by_pair[by_pair["size"] > 100]["median"]
    cell = trips.groupby(["p", "d", "period", "hour"]).log
    within = (trips.log - cell.transform("median"))[cell.transform("size") > 15]
    far = np.log(driven.trip_miles) - np.log(
        driven.groupby(["p", "d"]).trip_miles.transform("median")
    )
    both = within.index.intersection(far.index)
    return {
        "DISTANCE_KNOTS": KNOTS,
        "MINUTES_BY_DISTANCE": tuple(np.round(np.exp(minutes), 1).tolist()),
        "MILES_BY_DISTANCE": tuple(np.round(np.exp(miles), 2).tolist()),
        "MINUTES_SPREAD": robust_spread(within, knots),
        "MILES_SPREAD": robust_spread(far, knots),
        "MINUTES_WITH_MILES": round(
            float(np.corrcoef(within[both].clip(-1.5, 1.5), far[both].clip(-1.5, 1.5))[0, 1]), 2
        ),
        "SLOW_PICKUP": whole(np.exp(pickup) * 100),
        "SLOW_DROPOFF": whole(np.exp(dropoff) * 100),
        "PAIR_SPREAD": round(float(busy.std()), 3),
    }


def robust_spread(rest: pd.Series, knots: Floats) -> tuple[float, ...]:
    """Standard deviation of the logarithm by knot, from the quartiles: outliers do not move it."""
    group = rest.groupby(knots[rest.index])
    spread = ((group.quantile(0.75) - group.quantile(0.25)) / 1.349).reindex(range(len(KNOTS)))
    return tuple(spread.ffill().round(3).tolist())


def shrunk(rest: pd.Series, area: pd.Series) -> Floats:
    """Median of an area's trips, pulled to none where it has few."""
    group = rest.groupby(area).agg(["median", "size"]).reindex(range(77), fill_value=0)
    result: Floats = (group["median"] * group["size"] / (group["size"] + 50)).to_numpy()
    return result


def dirt(trips: pd.DataFrame) -> dict[str, object]:
    """Companies of January 2019 and how each fills the columns; what is missing, short and long."""
    seconds, pickup = trips.trip_seconds, trips[MISSING[0]]
    no_pickup, no_dropoff = (trips[column].isna() for column in MISSING)
    figures = pd.DataFrame(
        {
            "share": trips.groupby("company").size() / len(trips),
            "whole_minutes": (seconds % 60 == 0).groupby(trips.company).mean(),
            "zero_seconds": (seconds == 0).groupby(trips.company).mean(),
            "zero_miles": ((trips.trip_miles == 0) & (seconds >= 60)).groupby(trips.company).mean(),
            "no_areas": (no_pickup & no_dropoff).groupby(trips.company).mean(),
        }
    )
    figures = figures[figures.share > 0.0006].sort_values("share", ascending=False) * 1000
    leaving = trips[no_dropoff & ~no_pickup & seconds.between(60, 3600)]
    from_where = pickup.where(pickup.isin([OHARE, MIDWAY]), 0)[~no_pickup]
    left = no_dropoff[~no_pickup].groupby(from_where).mean().round(4)
    return {
        "COMPANIES": tuple(zip(figures.index, *whole(figures.to_numpy().T), strict=True)),
        "UNDER_A_MINUTE": round(float(seconds.between(1, 59).mean()), 4),
        "NO_DROPOFF_BY_PICKUP": {int(area): float(share) for area, share in left.items()},
        "NO_PICKUP": round(float((no_pickup & ~no_dropoff).mean()), 4),
        "OUTSIDE_MINUTES": round(float(leaving.trip_seconds.median() / 60), 1),
        "OUTSIDE_MILES": round(float(leaving.trip_miles.median()), 1),
    }


def full_day(trips: pd.DataFrame) -> dict[str, object]:
    """Tracts and payments of one whole day of 2022."""
    shown = trips[list(map("{}_census_tract".format, ("pickup", "dropoff")))].notna()
    tracts = pd.concat(
        [
            trips[shown[f"{end}_census_tract"]][
                [
                    f"{end}_community_area",
                    f"{end}_census_tract",
                    f"{end}_centroid_latitude",
                    f"{end}_centroid_longitude",
                ]
            ].set_axis(["area", "tract", "latitude", "longitude"], axis=1)
            for end in ("pickup", "dropoff")
        ]
    )
    tracts = tracts.groupby(["area", "tract", "latitude", "longitude"]).size().nlargest(32)
    paid = trips.groupby("payment_type")
    share, tipped = paid.size() / len(trips), paid.tips.agg(lambda tips: (tips > 0).mean())
    return {
        "TRACTS": tuple(
            sorted(
                (int(area), str(tract), round(float(lat), 6), round(float(lon), 6), int(n))
                for (area, tract, lat, lon), n in tracts.items()
            )
        ),
        "TRACTS_SHOWN": round(float(shown.all(axis=1).mean()), 3),
        "PAYMENTS": tuple(
            (str(n), round(float(share[n]), 4), round(float(tipped[n]), 3)) for n in share.index
        ),
    }


def whole(values: NDArray[Any]) -> tuple[object, ...]:
    """The numbers rounded, as (nested) tuples."""
    return tuple(whole(v) if np.ndim(v) else round(float(v)) for v in values)


TEXT = '''"""What was measured on real trips; the simulated city is built from these figures alone.

Made by benchmarks/calibrate_simulation.py from three samples of the City's open data, which
docs/simulation.md describes: [week] is all trips of 1 to 11 January 2019, [months] trips of 37
companies from January to September 2019, [day] all trips of 1 March 2022. No sample has October to
December: figures of those months are assumed.
"""

# fmt: off
from typing import Final

'''
MEANINGS = """
TRIPS_BY_HOUR: [months] Share of the day's trips, per 10,000: Monday to Thursday, Friday,
    Saturday, Sunday.
TRIPS_BY_WEEKDAY: [months] Percent of the average day, Monday first.
TRIPS_BY_MONTH: [months] Percent of the average day, January first.
OHARE_BY_MONTH: [months] Share of pickups at O'Hare, percent of January's.
PICKUPS: [week] Share of pickups by area 1 to 77, per 100,000, in each period (see
    geography.period_of).
DROPOFFS: [week] The same for dropoffs.
PULL: [week] How likely a pair is beyond its areas' shares, by bin of distance, a trip within one
    area being 1.
BUSY_PAIRS: [week] Pickup, dropoff, percent of the trips that PULL alone would give, median
    minutes in January, median miles driven.
PACE_BY_HOUR: [months] Minutes, percent of the pair's median, by hour: weekdays under 5 miles,
    weekdays towards the Loop, weekdays away from it, weekends under 5 miles, weekends beyond.
PACE_BY_WEEKDAY: [months] What then remains, by weekday.
PACE_BY_MONTH: [months] What then remains, by month.
PACE_BY_DAY_SPREAD: [months] Standard deviation of the logarithm of what then remains, between
    days (weather, events).
DISTANCE_KNOTS: Miles between centroids at which the next four are given.
MINUTES_BY_DISTANCE: [week] Median minutes, with the pace of hour, weekday and month taken out.
MILES_BY_DISTANCE: [week] Median miles driven.
MINUTES_SPREAD: [week] Standard deviation of the logarithm of minutes within pair and hour, from
    the quartiles.
MILES_SPREAD: [week] The same for miles within a pair.
MINUTES_WITH_MILES: [week] Correlation of the two.
SLOW_PICKUP: [week] Percent of MINUTES_BY_DISTANCE that trips from area 1 to 77 take.
SLOW_DROPOFF: [week] The same for trips to it.
PAIR_SPREAD: [week] Standard deviation of the logarithm of what then remains, between pairs.
COMPANIES: [week] Name, then per thousand: share of trips; of its trips whole minutes, zero
    seconds, zero miles, no areas.
UNDER_A_MINUTE: [week] Share of trips of 1 to 59 seconds.
NO_DROPOFF_BY_PICKUP: [week] Share that leaves the city (no dropoff area) from O'Hare, Midway and
    (0) anywhere else.
NO_PICKUP: [week] Share that comes from outside (no pickup area).
OUTSIDE_MINUTES: [week] Median minutes of trips that leave the city.
OUTSIDE_MILES: [week] Their median miles.
TRACTS: [day] Area, census tract, latitude and longitude of its centroid, trips that show it.
TRACTS_SHOWN: [day] Share of trips that show both tracts.
PAYMENTS: [day] Payment type, share of trips, share of those with a tip on record.
"""


def main(folder: Path) -> None:
    """Measure and write."""
    raw = read(folder / WEEK).reset_index(drop=True)
    trips = clean(raw).reset_index(drop=True)
    months = clean(read(folder / MONTHS)).reset_index(drop=True)
    figures = demand(trips, months)
    figures |= pace(trips, months, np.asarray(figures["EXPECTED"]))
    figures |= dirt(raw) | full_day(read(folder / DAY))
    meanings = re.sub(r"\n +", " ", MEANINGS).strip().splitlines()
    lines = []
    for name, text in (line.split(": ", 1) for line in meanings):
        lines += [wrapped(f"# {text}", "# "), wrapped(f"{name}: Final = {figures[name]!r}")]
    TARGET.write_text(TEXT + "".join(lines), encoding="utf-8")
    print(f"{TARGET} written from {len(raw):,} trips")


def wrapped(line: str, indent: str = "    ") -> str:
    """The line broken where it is longer than the project allows, never within a short tuple."""
    kept = re.sub(r"(?<!= )\([^()]{,85}\)", lambda match: match[0].replace(" ", "\0"), line)
    return textwrap.fill(kept, 100, subsequent_indent=indent).replace("\0", " ") + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the samples of real trips are")
    main(parser.parse_args().folder)
