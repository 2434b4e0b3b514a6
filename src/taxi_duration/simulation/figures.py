"""The figures by which simulated trips are held against real ones (docs/simulation.md)."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

QUANTILES: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def quantiles(trips: pa.Table, column: str, at: Sequence[float] = QUANTILES) -> list[float]:
    """Quantiles of a column over all rows that have it."""
    found: list[float] = pc.quantile(trips[column].cast(pa.float64()), q=list(at)).to_pylist()
    return found


def dirt(trips: pa.Table) -> dict[str, float]:
    """Share of rows with each kind of dirt; a kind that the columns cannot show is left out."""
    seconds, rows = trips["trip_seconds"].cast(pa.float64()), trips.num_rows
    shares = {
        "zero seconds": pc.equal(seconds, 0),
        "under a minute": pc.less(seconds, 60),
        "over an hour": pc.greater(seconds, 3600),
        "over two hours": pc.greater(seconds, 7200),
        "whole minutes": pc.equal(pc.multiply(pc.floor(pc.divide(seconds, 60)), 60), seconds),
        "zero miles": pc.equal(trips["trip_miles"], 0),
    }
    for column in ("pickup_community_area", "dropoff_community_area", "pickup_census_tract"):
        if column in trips.column_names:
            shares[f"no {column}"] = pc.is_null(trips[column])
    return {kind: (pc.sum(rows_of).as_py() or 0) / rows for kind, rows_of in shares.items()}


def usable(trips: pa.Table) -> pa.Table:
    """Trips of 1 to 60 minutes between two known areas."""
    seconds = trips["trip_seconds"]
    known = pc.and_(
        pc.is_valid(trips["pickup_community_area"]), pc.is_valid(trips["dropoff_community_area"])
    )
    in_bounds = pc.and_(pc.greater_equal(seconds, 60), pc.less_equal(seconds, 3600))
    return trips.filter(pc.and_(known, in_bounds))


def pairs(trips: pa.Table) -> pa.Table:
    """Share of the usable trips, and median minutes (approximate), of each pair; busiest first."""
    keys = ["pickup_community_area", "dropoff_community_area"]
    kept = usable(trips)
    # Threads would take the trips in another order each time, which moves an approximate median.
    found = kept.group_by(keys, use_threads=False).aggregate(
        [([], "count_all"), ("trip_seconds", "approximate_median")]
    )
    found = found.sort_by([("count_all", "descending")])
    return pa.table(
        {
            "pickup": found[keys[0]].cast(pa.int64()),
            "dropoff": found[keys[1]].cast(pa.int64()),
            "share": pc.divide(pc.cast(found["count_all"], pa.float64()), float(kept.num_rows)),
            "minutes": pc.divide(found["trip_seconds_approximate_median"], 60),
        }
    )


def hours(trips: pa.Table) -> list[float]:
    """Share of the rows in each hour of the day, 24 of them."""
    hour = pc.hour(trips["trip_start_timestamp"])
    counts = {item["values"]: item["counts"] for item in pc.value_counts(hour).to_pylist()}
    return [counts.get(number, 0) / trips.num_rows for number in range(24)]


def minutes_by_hour(trips: pa.Table) -> list[float]:
    """Mean minutes of the usable trips that start in each hour of the day."""
    kept = usable(trips)
    table = pa.table(
        {"hour": pc.hour(kept["trip_start_timestamp"]), "seconds": kept["trip_seconds"]}
    )
    means = table.group_by("hour").aggregate([("seconds", "mean")]).sort_by("hour")
    return [seconds / 60 for seconds in means["seconds_mean"].to_pylist()]
