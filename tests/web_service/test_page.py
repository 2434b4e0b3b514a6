import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

import duration_service
from duration_service import city_map
from taxi_duration.areas import AREAS

PACKAGE = Path(duration_service.__file__).parent
FILES = sorted(path.name for path in (PACKAGE / "static").iterdir())


@pytest.fixture
def html(client: FlaskClient) -> str:
    return client.get("/").text


def test_the_page_is_there_with_and_without_a_model(app: Flask, empty: Flask) -> None:
    for application in (app, empty):
        answer = application.test_client().get("/")
        assert answer.status_code == 200
        assert answer.content_type == "text/html; charset=utf-8"


def test_the_page_may_load_its_own_files_and_nothing_else(client: FlaskClient) -> None:
    headers = client.get("/").headers
    policy = dict(
        part.strip().split(" ", maxsplit=1)
        for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert {policy[kind] for kind in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert policy["img-src"] == "'self' data:"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_nothing_in_the_page_names_another_host_or_is_inline(html: str) -> None:
    assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//""", html)
    assert not re.findall(r"\sstyle=|<style|\son\w+=", html)
    assert all(
        'src="' in script or 'type="application/json"' in script
        for script in re.findall(r"<script[^>]*>", html)
    )


@pytest.mark.parametrize("name", FILES)
def test_no_file_of_the_page_names_another_host(name: str) -> None:
    text = (PACKAGE / "static" / name).read_text()
    # The name of a namespace is no address.
    addresses = set(re.findall(r"https?://[\w./]+", text)) - {"http://www.w3.org/2000/svg"}
    assert not addresses
    assert "url(" not in text


def test_the_areas_in_the_page_are_those_of_the_package(html: str) -> None:
    (data,) = re.findall(r'<script type="application/json" id="areas">(.*?)</script>', html)
    areas = json.loads(data)
    assert [area["number"] for area in areas] == [area.number for area in AREAS]
    for known, area in zip(areas, AREAS, strict=True):
        assert area.name in known["name"]
        assert (known["x"], known["y"]) == pytest.approx(
            city_map.project(area.latitude, area.longitude), abs=0.06
        )


def test_each_area_is_in_the_map_once_and_in_both_lists(html: str) -> None:
    numbers = {str(area.number) for area in AREAS}
    cells = re.findall(r'class="cell" data-area="(\d+)"', html)
    options = re.findall(r'<option value="(\d*)"', html)
    assert sorted(cells) == sorted(numbers)
    assert sorted(options) == sorted(2 * [*numbers, ""])


def test_every_field_has_a_label_and_every_id_is_there_once(html: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    fields = re.findall(r'<(?:select|input)[^>]* id="([^"]+)"', html)
    assert sorted(fields) == ["dropoff", "pickup", "time"]
    assert set(re.findall(r'<label for="([^"]+)"', html)) == set(fields)
    named = re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', html)
    assert {one for names in named for one in names.split()} <= set(ids)


@pytest.mark.parametrize("name", FILES)
def test_the_files_of_the_page_are_served_with_types_that_browsers_take(
    client: FlaskClient, name: str
) -> None:
    types = {
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml; charset=utf-8",
    }
    with client.get(f"/static/{name}") as answer:
        assert answer.status_code == 200
        assert answer.content_type == types[Path(name).suffix]
        known = {"If-None-Match": answer.headers["ETag"]}
    with client.get(f"/static/{name}", headers=known) as again:
        assert again.status_code == 304


def test_a_file_that_is_not_there_is_a_problem_like_any_other(client: FlaskClient) -> None:
    answer = client.get("/static/none.js")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert "/static" not in answer.json["detail"].removeprefix("Nothing is at /static/none.js.")


def test_the_page_is_only_read(client: FlaskClient) -> None:
    assert client.post("/").status_code == 405
