"""A city in which something has changed from a day on: what drills ask the pipeline to notice."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from flask import Flask, Response, request

from taxi_duration.areas import AIRPORTS
from taxi_duration.simulation.app import create_app
from taxi_duration.simulation.columns import COLUMNS, START
from taxi_duration.simulation.source import DRILL, TripSource, Window

Kind = Literal["pace", "demand", "schema", "missing"]
Shift = Callable[[pa.Table], pa.Table]

SLOWER: Final = 1.3
# Of the trips that neither begin nor end at an airport, one in so many is left.
FEWER_IN_TOWN: Final = 5
RENAMED: Final = ("trip_seconds", "duration_seconds")
_AREAS: Final = ("pickup_community_area", "dropoff_community_area")
_PLACES: Final = tuple(name for name in COLUMNS if name.startswith(("pickup_", "dropoff_")))
_DAY: Final = re.compile(r"'(\d{4}-\d\d-\d\d)T")


@dataclass(frozen=True)
class ShiftedTrips:
    """The trips of another source, changed from a moment on, under ids of their own."""

    base: TripSource
    shift: Shift
    since: datetime
    name: Literal["drill"] = DRILL

    def __str__(self) -> str:
        return f"{self.base}, shifted from {self.since:%Y-%m-%d}"

    def parts(self, window: Window, newest_first: bool = False) -> Iterator[pa.Table]:
        """The base's parts; no trip has an id that a real one could have."""
        for part in self.base.parts(window, newest_first):
            trips = part
            if part.num_rows and part[START][0].as_py() >= self.since:
                trips = self.shift(part)
            ids = pc.binary_join_element_wise("drill", trips["trip_id"], "-")
            yield _with(trips, {"trip_id": ids})


def slower(trips: pa.Table) -> pa.Table:
    """Every ride takes 30% longer; the end keeps to the City's quarters of an hour."""
    seconds = pc.multiply(trips["trip_seconds"], SLOWER)
    lasted = pc.subtract(trips["trip_end_timestamp"], trips[START]).cast(pa.int64())
    quarter = 15 * 60 * 1000
    longer = pc.multiply(pc.round(pc.multiply(lasted, SLOWER / quarter)), float(quarter))
    end = pc.add(trips[START], longer.cast(pa.int64()).cast(pa.duration("ms")))
    return _with(trips, {"trip_seconds": seconds, "trip_end_timestamp": end})


def to_airports(trips: pa.Table) -> pa.Table:
    """Another mix of areas: the airports keep their rides, the city loses most of its own."""
    airports = pa.array(AIRPORTS, pa.float64())
    there = [pc.is_in(trips[name], value_set=airports) for name in _AREAS]
    stays = pa.array(np.arange(trips.num_rows) % FEWER_IN_TOWN == 0)
    return trips.filter(pc.or_(pc.or_(*there), stays))


def without_areas(trips: pa.Table) -> pa.Table:
    """Nobody knows where every second trip began and ended."""
    gone = pa.array(np.arange(trips.num_rows) % 2 == 0)
    return _with(trips, {name: pc.if_else(gone, None, trips[name]) for name in _PLACES})


def unchanged(trips: pa.Table) -> pa.Table:
    """The same trips."""
    return trips


SHIFTS: Final[Mapping[Kind, Shift]] = MappingProxyType(
    {"pace": slower, "demand": to_airports, "schema": unchanged, "missing": without_areas}
)


def shifted_city(base: TripSource, kind: Kind, since: datetime) -> Flask:
    """The City's API over the shifted trips."""
    app = create_app(ShiftedTrips(base, SHIFTS[kind], since))
    if kind == "schema":
        app.after_request(lambda response: _renamed(response, f"{since:%Y-%m-%d}"))
    return app


def _renamed(response: Response, since: str) -> Response:
    """The answer with another name of one column, if it was asked for shifted days."""
    asked = request.args.get("$where", "") or request.get_data(as_text=True)
    if min(_DAY.findall(asked), default="") >= since:
        old, new = (name.encode() for name in RENAMED)
        response.set_data(response.get_data().replace(old, new, 1))
    return response


def _with(trips: pa.Table, columns: dict[str, Any]) -> pa.Table:
    for name, values in columns.items():
        place = trips.schema.get_field_index(name)
        trips = trips.set_column(place, trips.schema.field(place), values)
    return trips
