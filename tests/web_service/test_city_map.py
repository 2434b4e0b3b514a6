import math

import pytest

from duration_service import city_map
from taxi_duration.areas import AREAS, MIDWAY, OHARE


def area_of(polygon: list[city_map.Point]) -> float:
    """The shoelace formula."""
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)) / 2


def inside(point: city_map.Point, polygon: list[city_map.Point]) -> bool:
    """Whether a ray to the east leaves the polygon an odd number of times."""
    x, y = point
    crossings = 0
    for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            crossings += 1
    return crossings % 2 == 1


@pytest.fixture(scope="module")
def polygons() -> dict[int, list[city_map.Point]]:
    sites = {area.number: city_map.project(area.latitude, area.longitude) for area in AREAS}
    return {number: city_map.voronoi(site, sites.values()) for number, site in sites.items()}


def test_every_area_has_a_cell_around_its_centroid(
    polygons: dict[int, list[city_map.Point]],
) -> None:
    cells = city_map.cells()
    assert [cell.number for cell in cells] == [area.number for area in AREAS]
    assert all(inside((cell.x, cell.y), polygons[cell.number]) for cell in cells)


def test_the_cells_cover_the_city_and_each_other_nowhere(
    polygons: dict[int, list[city_map.Point]],
) -> None:
    covered = sum(area_of(polygon) for polygon in polygons.values())
    assert covered == pytest.approx(area_of(city_map.outline()), rel=1e-3)


def test_a_cell_holds_what_is_nearest_to_its_centroid(
    polygons: dict[int, list[city_map.Point]],
) -> None:
    cells = city_map.cells()
    for x in range(0, city_map.WIDTH, 61):
        for y in range(0, city_map.HEIGHT, 61):
            near, next_near = sorted(math.dist((x, y), (cell.x, cell.y)) for cell in cells)[:2]
            if next_near - near < 1:
                continue  # on the line between two cells
            nearest = min(cells, key=lambda cell: math.dist((x, y), (cell.x, cell.y)))
            holders = {number for number, polygon in polygons.items() if inside((x, y), polygon)}
            assert holders == ({nearest.number} if inside((x, y), city_map.outline()) else set())


def test_no_cell_has_lines_outside_the_city(polygons: dict[int, list[city_map.Point]]) -> None:
    city = city_map.outline()
    for number, polygon in polygons.items():
        for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            x, y = (ax + bx) / 2, (ay + by) / 2
            # A hair to the left and to the right: a line on the outline has the city on one side.
            across = (ay - by) / math.dist((ax, ay), (bx, by)) / 10
            down = (bx - ax) / math.dist((ax, ay), (bx, by)) / 10
            sides = [(x + across, y + down), (x - across, y - down)]
            assert any(inside(side, city) for side in sides), AREAS[number - 1].name


def test_north_is_up_and_a_mile_as_long_in_every_direction() -> None:
    loop = city_map.project(41.88, -87.63)
    north = city_map.project(41.88 + 1 / 69.0, -87.63)
    east = city_map.project(41.88, -87.63 + 1 / (69.17 * math.cos(math.radians(41.88))))
    assert north[1] < loop[1]
    assert north[0] == loop[0]
    assert east[0] > loop[0]
    assert math.dist(loop, north) == pytest.approx(math.dist(loop, east), rel=0.01)


def test_the_airports_are_named_where_people_look_for_them() -> None:
    names = {cell.number: cell.name for cell in city_map.cells()}
    assert "airport" in names[OHARE].lower()
    assert "midway" in names[MIDWAY].lower()
    assert {"O'Hare", "Midway", "The Loop", "Near North Side", "Hyde Park"} <= {
        label.text for label in city_map.labels()
    }
