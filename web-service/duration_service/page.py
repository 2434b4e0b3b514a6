"""`GET /`: the page on which a person asks how long a trip takes."""

from typing import Final

from flask import Blueprint, Response, make_response, render_template

from duration_service import city_map
from taxi_duration.contract import FIRST_YEAR, LAST_YEAR

blueprint = Blueprint("page", __name__)

# The page needs its own files and this service's answers, and may have nothing else.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # The address holds the trip that was asked for.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@blueprint.get("/")
def page() -> Response:
    """The page, whole: the map is drawn in it, the areas are its data."""
    areas = city_map.cells()
    answer = make_response(
        render_template(
            "page.html",
            cells=areas,
            # People look a name up; a number only the City knows.
            listed=sorted(areas, key=lambda area: area.name.replace("'", "")),
            known=[{"number": a.number, "name": a.name, "x": a.x, "y": a.y} for a in areas],
            labels=city_map.labels(),
            outline=city_map.path(city_map.outline()),
            lake=city_map.lake(),
            width=city_map.WIDTH,
            height=city_map.HEIGHT,
            first_year=FIRST_YEAR,
            last_year=LAST_YEAR,
        )
    )
    answer.headers.update(HEADERS)
    return answer
