"""Which rows are trips. The others go to the quarantine, each with the first reason that holds."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxi_duration.areas import AREAS
from taxi_duration.contract import CHICAGO
from taxi_duration.errors import NoTripsError, TooManyBadTripsError
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import TRIP_SCHEMA

REASON: Final = "reason"
QUARANTINE_SCHEMA: Final = TRIP_SCHEMA.append(pa.field(REASON, pa.string()))


@dataclass(frozen=True)
class CleanMonth:
    """The trips of a month, the rows that are none with their `reason`, and the counts of these."""

    month: Month
    trips: pa.Table
    quarantine: pa.Table
    reasons: dict[str, int]


def clean(
    trips: pa.Table, month: Month, *, min_minutes: float, max_minutes: float, max_bad_share: float
) -> CleanMonth:
    """Splits the raw rows of `month`, in TRIP_SCHEMA, into trips and quarantine; the order stays.

    Only the duration has to be right: a trip with missing areas or tracts, or with zero or absurd
    miles and fares, is a trip all the same.
    Raises NoTripsError where no trip is left, TooManyBadTripsError where the share of quarantined
    rows is over `max_bad_share`.
    """
    if not trips.num_rows:
        raise NoTripsError(f"{month} has no rows to clean.")
    reason = _reasons(trips, month, min_minutes * 60, max_minutes * 60)
    good = reason.is_null()
    quarantine = trips.append_column(REASON, reason).filter(pc.invert(good)).cast(QUARANTINE_SCHEMA)
    result = CleanMonth(month, trips.filter(good), quarantine, _counts(quarantine))
    _check_share(result, trips.num_rows, max_bad_share)
    return result


def _reasons(trips: pa.Table, month: Month, shortest: float, longest: float) -> Any:
    """The first reason that holds for each row, null where none does. Durations in seconds."""
    start, seconds = trips["trip_start_timestamp"], trips["trip_seconds"]
    reasons = {
        "no_start": start.is_null(),
        "outside_month": pc.or_(pc.less(start, month.start), pc.greater_equal(start, month.end)),
        "duplicate": _repeats(trips["trip_id"]),
        "no_duration": pc.or_(seconds.is_null(), pc.less_equal(seconds, 0).fill_null(False)),
        "too_short": pc.less(seconds, shortest),
        "too_long": pc.greater(seconds, longest),
        "ends_before_start": _ends_before(start, trips["trip_end_timestamp"]),
        "unknown_area": pc.or_kleene(
            _unknown(trips["pickup_community_area"]), _unknown(trips["dropoff_community_area"])
        ),
    }
    columns = [pc.fill_null(holds, False) for holds in reasons.values()]
    conditions = pa.table(columns, names=list(reasons)).to_struct_array()
    return pc.case_when(conditions, *reasons)


def _unknown(areas: Any) -> Any:
    """Where an area is given that Chicago does not have; a missing one is outside the city."""
    return pc.or_(pc.less(areas, 1), pc.greater(areas, len(AREAS)))


def _ends_before(start: Any, end: Any) -> Any:
    """Where a trip ends before it starts, by what Chicago's clocks show.

    They show an hour twice when summer time ends, so that a trip of its first half may end in its
    second one, at what is written as an earlier time.
    """
    before = np.array(pc.fill_null(pc.less(end, start), False))
    for row in np.flatnonzero(before):
        earliest = start[row].as_py().replace(tzinfo=CHICAGO)
        latest = end[row].as_py().replace(tzinfo=CHICAGO, fold=1)
        before[row] = latest.astimezone(UTC) < earliest.astimezone(UTC)
    return pa.array(before)


def _repeats(ids: Any) -> Any:
    """Where an id has been seen in a row before; rows without an id repeat nothing."""
    rows = pa.table({"id": ids, "row": np.arange(len(ids))})
    first = rows.group_by("id").aggregate([("row", "min")])["row_min"]
    seen_before = pc.invert(pc.is_in(rows["row"], value_set=first))
    return pc.and_(seen_before, ids.is_valid())


def _counts(quarantine: pa.Table) -> dict[str, int]:
    counts = quarantine[REASON].value_counts().to_pylist()
    return dict(sorted((count["values"], count["counts"]) for count in counts))


def _check_share(result: CleanMonth, rows: int, max_bad_share: float) -> None:
    counts = ", ".join(f"{reason} {count}" for reason, count in result.reasons.items())
    bad = result.quarantine.num_rows / rows
    if bad > max_bad_share:
        raise TooManyBadTripsError(
            f"{bad:.0%} of the {rows} rows of {result.month} cannot be trips ({counts}).",
            f"Look at the raw month; TAXI_MAX_BAD_SHARE allows {max_bad_share:.0%}.",
        )
    if not result.trips.num_rows:
        raise NoTripsError(f"None of the {rows} rows of {result.month} is a trip ({counts}).")
