"""Chicago for the eye: a cell around the centroid of each of the 77 areas, beside the lake.

The cells are those of a Voronoi diagram: each has the points of the city that are nearer to its
centroid than to any other. They are near the real areas, and are not their boundaries.
"""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from taxi_duration.areas import AREAS, MIDWAY, OHARE, Area

Point = tuple[float, float]

# The picture's edges in degrees, and its height; what follows is in units of the picture.
WEST: Final = -87.965
EAST: Final = -87.455
SOUTH: Final = 41.628
NORTH: Final = 42.04
HEIGHT: Final = 1000
_UNITS: Final = HEIGHT / (NORTH - SOUTH)
# A degree of longitude is shorter than one of latitude by the cosine of the latitude.
_NARROWER: Final = math.cos(math.radians((NORTH + SOUTH) / 2))
WIDTH: Final = round((EAST - WEST) * _NARROWER * _UNITS)

# An area in squares of units that nobody sees.
NOTHING: Final = 1e-3

# The city's outline as latitude and longitude, drawn by hand to about half a mile: down the lake's
# shore from Evanston to Indiana, and back around the suburbs.
# fmt: off
SHORE: Final = (
    (42.0230, -87.6640), (42.0090, -87.6580), (41.9900, -87.6530), (41.9800, -87.6480),
    (41.9660, -87.6330), (41.9580, -87.6400), (41.9420, -87.6340), (41.9270, -87.6280),
    (41.9140, -87.6240), (41.9030, -87.6220), (41.8990, -87.6130), (41.8930, -87.6110),
    (41.8915, -87.6000), (41.8880, -87.6120), (41.8750, -87.6150), (41.8670, -87.6060),
    (41.8550, -87.6060), (41.8500, -87.6090), (41.8360, -87.6040), (41.8230, -87.5950),
    (41.8110, -87.5870), (41.7960, -87.5740), (41.7840, -87.5710), (41.7660, -87.5590),
    (41.7550, -87.5460), (41.7400, -87.5280), (41.7320, -87.5245),
)
BORDER: Final = (
    (41.6440, -87.5245), (41.6440, -87.6170), (41.6580, -87.6300), (41.6600, -87.6600),
    (41.6770, -87.6630), (41.6770, -87.6920), (41.6840, -87.6920), (41.6840, -87.7400),
    (41.7060, -87.7400), (41.7060, -87.6820), (41.7350, -87.6820), (41.7350, -87.7410),
    (41.7710, -87.7420), (41.7710, -87.8010), (41.8100, -87.8010), (41.8190, -87.7390),
    (41.8660, -87.7390), (41.8660, -87.7750), (41.9090, -87.7755), (41.9090, -87.8060),
    (41.9380, -87.8065), (41.9380, -87.8370), (41.9680, -87.8370), (41.9690, -87.8800),
    (41.9540, -87.8860), (41.9540, -87.9400), (42.0080, -87.9400), (42.0080, -87.8880),
    (41.9840, -87.8700), (41.9840, -87.8380), (42.0200, -87.8370), (42.0200, -87.8050),
    (42.0010, -87.7850), (42.0170, -87.7620), (42.0120, -87.7450), (41.9975, -87.7320),
    (41.9975, -87.7090), (42.0200, -87.7090), (42.0200, -87.6750),
)
# fmt: on

# The areas that people know, as they call them. Those on the lake are written in the lake, from
# this longitude on, because there is room.
LABELS: Final[dict[int, tuple[str, float | None]]] = {
    1: ("Rogers Park", -87.652),
    3: ("Uptown", -87.627),
    6: ("Lake View", -87.624),
    7: ("Lincoln Park", -87.616),
    8: ("Near North Side", -87.594),
    10: ("Norwood Park", None),
    22: ("Logan Square", None),
    25: ("Austin", None),
    28: ("Near West Side", None),
    32: ("The Loop", -87.606),
    35: ("Douglas", -87.596),
    41: ("Hyde Park", -87.567),
    43: ("South Shore", -87.551),
    49: ("Roseland", None),
    55: ("Hegewisch", None),
    MIDWAY: ("Midway", None),
    61: ("New City", None),
    68: ("Englewood", None),
    70: ("Ashburn", None),
    72: ("Beverly", None),
    OHARE: ("O'Hare", None),
}
# How those are listed that hold an airport.
AIRPORT_NAMES: Final = {
    OHARE: "O'Hare (airport)",
    MIDWAY: "Garfield Ridge (Midway Airport)",
}


class Cell(NamedTuple):
    """An area in the picture: its centroid and the path of its cell."""

    number: int
    name: str
    x: float
    y: float
    path: str


class Label(NamedTuple):
    """A name in the picture, written from x on, or around it where it is centred."""

    number: int
    text: str
    x: float
    y: float
    centred: bool


def project(latitude: float, longitude: float) -> Point:
    """Where a point on the earth is in the picture (equirectangular projection)."""
    return (longitude - WEST) * _NARROWER * _UNITS, (NORTH - latitude) * _UNITS


def listed_name(area: Area) -> str:
    """The area's name, with the airport where it holds one."""
    return AIRPORT_NAMES.get(area.number, area.name)


@cache
def cells() -> tuple[Cell, ...]:
    """The 77 areas in the order of their numbers."""
    sites = {area: project(area.latitude, area.longitude) for area in AREAS}
    return tuple(
        Cell(area.number, listed_name(area), *_rounded(site), path(voronoi(site, sites.values())))
        for area, site in sites.items()
    )


@cache
def labels() -> tuple[Label, ...]:
    """The names in the picture."""
    return tuple(
        Label(number, text, *_rounded(project(area.latitude, east or area.longitude)), east is None)
        for number, (text, east) in LABELS.items()
        for area in [AREAS[number - 1]]
    )


def outline() -> list[Point]:
    """The polygon around the city."""
    return [project(*point) for point in (*SHORE, *BORDER)]


@cache
def lake() -> str:
    """The path around Lake Michigan, beyond the edge too: a wide screen shows more of the east."""
    evanston, indiana, beyond = (NORTH, -87.6720), (41.6000, -87.2600), (NORTH, -87.2600)
    return path([project(*point) for point in (evanston, *SHORE, indiana, beyond)])


def voronoi(site: Point, sites: Iterable[Point]) -> list[Point]:
    """The polygon of the points of the city that are nearer to `site` than to another."""
    polygon = outline()
    # The nearest first: they cut off most, and the others have less to look at.
    for other in sorted(sites, key=lambda other: math.dist(site, other)):
        if other != site:
            polygon = _nearer(polygon, site, other)
    return _without_spurs(polygon)


def path(polygon: Sequence[Point]) -> str:
    """The polygon as an SVG path."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in polygon) + "Z"


def _nearer(polygon: list[Point], site: Point, other: Point) -> list[Point]:
    """The part of the polygon on the site's side of the middle (Sutherland-Hodgman clipping)."""
    kept: list[Point] = []
    for start, end in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        before, after = _beyond(start, site, other), _beyond(end, site, other)
        if before <= 0:
            kept.append(start)
        if before * after < 0:
            share = before / (before - after)
            kept.append(
                (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            )
    return kept


def _without_spurs(polygon: list[Point]) -> list[Point]:
    """The polygon without the lines there and back that clipping leaves where the city is bent."""
    for n, tip in enumerate(polygon):
        following = polygon[(n + 1) % len(polygon)]
        (ax, ay), (bx, by) = _minus(polygon[n - 1], tip), _minus(following, tip)
        if abs(ax * by - ay * bx) < NOTHING and ax * bx + ay * by > -NOTHING:
            return _without_spurs(polygon[:n] + polygon[n + 1 :])
    return polygon


def _minus(point: Point, other: Point) -> Point:
    return point[0] - other[0], point[1] - other[1]


def _beyond(point: Point, site: Point, other: Point) -> float:
    """By how much the point is nearer to `other`, in squares of units; negative near `site`."""
    return math.dist(point, site) ** 2 - math.dist(point, other) ** 2


def _rounded(point: Point) -> Point:
    return round(point[0], 1), round(point[1], 1)
