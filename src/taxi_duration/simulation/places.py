"""Where a record says a ride began or ended: an area, sometimes a tract, and the centroid."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from taxi_duration.areas import AREAS
from taxi_duration.simulation import calibration as measured
from taxi_duration.simulation.geography import Floats, Ints, Mask, pair_shares


@dataclass(frozen=True)
class Places:
    """The 77 areas (index 0 to 76), then the census tracts that the City shows."""

    tract: pa.StringArray
    latitude: Floats
    longitude: Floats
    point: pa.StringArray
    tracts_of: dict[int, tuple[Ints, Floats]]  # area number: its tracts' indices and shares

    def columns(self, end: str, area: Ints, place: Ints) -> dict[str, pa.Array]:
        """The City's five columns for one end of the rides; area 0 is nowhere."""
        nowhere = area == 0
        index = pa.array(place, mask=nowhere)
        return {
            f"{end}_community_area": pa.array(area.astype(float), mask=nowhere),
            f"{end}_census_tract": self.tract.take(index),
            f"{end}_centroid_latitude": pa.array(self.latitude[place], mask=nowhere),
            f"{end}_centroid_longitude": pa.array(self.longitude[place], mask=nowhere),
            f"{end}_centroid_location": self.point.take(index),
        }


@cache
def places() -> Places:
    """All places that a record can name."""
    tracts = measured.TRACTS
    latitude = [area.latitude for area in AREAS] + [tract[2] for tract in tracts]
    longitude = [area.longitude for area in AREAS] + [tract[3] for tract in tracts]
    of: dict[int, tuple[Ints, Floats]] = {}
    for area in {tract[0] for tract in tracts}:
        index = np.array([n for n, tract in enumerate(tracts) if tract[0] == area])
        seen = np.array([tracts[n][4] for n in index], dtype=float)
        of[area] = index + len(AREAS), seen / seen.sum()
    return Places(
        tract=pa.array([None] * len(AREAS) + [tract[1] for tract in tracts], pa.string()),
        latitude=np.array(latitude),
        longitude=np.array(longitude),
        point=pa.array([f"POINT ({x} {y})" for x, y in zip(longitude, latitude, strict=True)]),
        tracts_of=of,
    )


@cache
def share_shown() -> float:
    """Share of trips between two areas with known tracts that show them, as in the real day."""
    known = np.array(list(places().tracts_of)) - 1
    shares = pair_shares(3).mean(axis=0)
    return float(measured.TRACTS_SHOWN / shares[np.ix_(known, known)].sum())


def choose(area: Ints, shown: Mask, rng: np.random.Generator) -> Ints:
    """The index of each end's place: one of the area's tracts where it is shown, else the area."""
    place = np.maximum(area - 1, 0)
    for number, (tracts, shares) in places().tracts_of.items():
        rides = np.flatnonzero(shown & (area == number))
        place[rides] = rng.choice(tracts, len(rides), p=shares)
    return place


def ends(pickup: Ints, dropoff: Ints, rng: np.random.Generator) -> dict[str, pa.Array]:
    """The City's ten columns of places; tracts are shown at both ends or, for privacy, at none."""
    known = list(places().tracts_of)
    shown = np.isin(pickup, known) & np.isin(dropoff, known)
    shown &= rng.random(len(pickup)) < share_shown()
    columns: dict[str, pa.Array] = {}
    for end, area in (("pickup", pickup), ("dropoff", dropoff)):
        columns |= places().columns(end, area, choose(area, shown, rng))
    return columns
