"""The page of figures in Chromium, with a real Postgres behind it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from duration_service.monitoring.reading import EXTENSION, Reader
from duration_service.prediction_log import EXTENSION as LOG
from duration_service.prediction_log import PredictionLog
from duration_service.predictions_table import PredictionsTable
from duration_service.shipping import Shipper
from duration_service.spool import Spool
from in_thread import serving_app
from monitored import with_own_database
from taxi_duration.contract import ModelVersion
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.monitoring.database import upgrade
from taxi_duration.settings import Settings
from taxi_duration.stack.stack import Stack
from watched import DRIFTED, ask, fill, report, watch
from web_service.test_page_in_browser import hidden, wrong_contrasts

pytestmark = [pytest.mark.browser, pytest.mark.stack]


@pytest.fixture(scope="module")
def filled(
    postgres: Stack,
    model: DurationModel,
    champion: ModelVersion,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Settings]:
    with with_own_database(postgres.settings) as own:
        settings = own.model_copy(update={"home": tmp_path_factory.mktemp("filled")})
        upgrade(settings)
        watch(settings)
        ask(settings, model, champion, 60)
        yield settings


@pytest.fixture
def url(app: Flask, filled: Settings) -> Iterator[str]:
    app.extensions[EXTENSION] = Reader.from_settings(filled)
    with serving_app(app) as address:
        yield f"{address}/monitoring"


@pytest.fixture
def page(browser_page: Page) -> Iterator[Page]:
    """A page that must say nothing in the console, and ask no host but the service's."""
    said: list[str] = []
    browser_page.on("console", lambda message: said.append(message.text))
    asked: set[str | None] = set()
    browser_page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
    yield browser_page
    assert [line for line in said if "status of 503" not in line] == []
    assert asked == {"127.0.0.1"}


def shaded_edges(page: Page, box: Locator) -> list[str]:
    """The edges at which a box looks otherwise than in its middle."""
    box.scroll_into_view_if_needed()
    seen = box.bounding_box()
    assert seen is not None
    x, y, width = seen["x"], seen["y"] + seen["height"] / 2, seen["width"]
    places = {"middle": x + width / 2, "left": x + 2, "right": x + width - 8}
    strips = {
        name: page.screenshot(clip={"x": round(at), "y": round(y), "width": 6, "height": 20})
        for name, at in places.items()
    }
    return [name for name in ("left", "right") if strips[name] != strips["middle"]]


def test_what_matters_is_seen_at_a_glance(page: Page, url: str) -> None:
    page.goto(url)
    cards = page.get_by_role("region", name="At a glance").get_by_role("listitem")
    expect(cards).to_have_count(8)
    look = cards.filter(has=page.get_by_role("img", name="look at this"))
    assert [one.split("\n")[0] for one in look.all_inner_texts()] == ["Error", "Coverage", "Drift"]
    page.get_by_role("link", name="Drift", exact=True).click()
    expect(page.get_by_role("heading", name="Drift by month")).to_be_in_viewport()


def test_of_a_window_of_live_traffic_all_is_seen_without_scrolling(
    page: Page, app: Flask, postgres: Stack
) -> None:
    with with_own_database(postgres.settings) as settings:
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        window = {"window_start": end - timedelta(hours=1), "window_end": end}
        fill(settings, "live_windows", **window, drifted=True)
        for column in ("pickup_community_area", "dropoff_community_area"):
            fill(settings, "live_columns", **window, column_name=column, drifted=True)
        app.extensions[EXTENSION] = Reader.from_settings(settings)
        page.set_viewport_size({"width": 1400, "height": 900})
        with serving_app(app) as address:
            page.goto(f"{address}/monitoring")
            table = page.get_by_role("region", name="Live traffic, table")
            expect(table.get_by_text("dropoff_community_area")).to_be_visible()
            assert table.evaluate("table => table.scrollWidth <= table.clientWidth")


def test_the_charts_have_a_mark_for_each_figure_and_words_for_those_who_do_not_see_them(
    page: Page, url: str
) -> None:
    page.goto(url)
    errors = page.get_by_role("img", name="Error by month Mean absolute error in minutes.")
    dots = errors.locator("circle.main")
    expect(dots).to_have_count(7)
    heights = [float(dot.get_attribute("cy") or 0) for dot in dots.all()]
    assert heights == sorted(heights, reverse=True), "the error grows from month to month"
    box = errors.bounding_box()
    assert box is not None
    for dot in dots.all():
        drawn = dot.bounding_box()
        assert drawn is not None
        assert box["x"] <= drawn["x"] <= box["x"] + box["width"]
        assert box["y"] <= drawn["y"] <= box["y"] + box["height"]
    expect(page.locator("rect.over")).to_have_count(1)
    expect(page.get_by_role("region", name="Months, table").get_by_role("row")).to_have_count(8)


def test_each_report_has_its_link(page: Page, url: str) -> None:
    page.goto(url)
    row = page.get_by_role("region", name="Reports, table").get_by_role("row", name=DRIFTED)
    expect(row).to_contain_text("drift")
    expect(row).to_contain_text("trip_minutes")
    link = row.get_by_role("link").get_attribute("href") or ""
    assert link.endswith(f"/runs/{DRIFTED}/artifacts/drift.html")


def test_another_source_is_a_click_away(page: Page, url: str, filled: Settings, app: Flask) -> None:
    report(filled, "2019-02", "city")
    page.goto(url)
    page.get_by_role("link", name="city").click()
    expect(page.locator("header")).to_contain_text("city trips")
    expect(page.get_by_role("link", name="city")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("region", name="Months, table").get_by_role("row")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(page: Page, url: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(url)
    page.get_by_text("The hours as a table").click()
    assert wrong_contrasts(page) == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_screen_needs_scrolling_to_the_side(page: Page, url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The labels below a chart do not run into each other.
    overlapping = page.evaluate(
        """() => [...document.querySelectorAll('.chart')].flatMap(chart => {
            const boxes = [...chart.querySelectorAll('.below')].map(e => e.getBoundingClientRect())
                .filter(box => box.width).sort((a, b) => a.left - b.left);
            return boxes.filter((box, n) => n && box.left < boxes[n - 1].right);
        }).length"""
    )
    assert overlapping == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_shows_on_which_side_there_is_more_of_it(page: Page, url: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 740})
    page.goto(url)
    table = page.get_by_role("region", name="Months, table")
    # What is behind the figures: they themselves would differ from one edge to the other.
    table.evaluate("table => table.firstElementChild.style.visibility = 'hidden'")
    for scrolled, shaded in ((0, ["right"]), (200, ["left", "right"]), (10_000, ["left"])):
        table.evaluate("(table, to) => table.scrollLeft = to", scrolled)
        assert shaded_edges(page, table) == shaded
    page.set_viewport_size({"width": 1400, "height": 740})
    assert table.evaluate("table => table.scrollWidth <= table.clientWidth")
    assert shaded_edges(page, table) == []


def test_on_paper_all_of_a_table_is_seen(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 320, "height": 740})
    page.goto(url)
    page.emulate_media(media="print")
    assert set(hidden(page)) == {0}
    wide = "[...document.querySelectorAll('.scroll')].map(e => getComputedStyle(e).overflowX)"
    assert set(page.evaluate(wide)) == {"visible"}


def test_predictions_that_the_disk_does_not_take_are_told(
    page: Page, url: str, app: Flask, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "predictions", 1_000_000)
    log = PredictionLog(spool, Shipper(spool, PredictionsTable(""), 60, 90), 1)
    log.disk_error = "No space left on device"
    app.extensions[LOG] = log
    page.goto(url)
    asked_for = page.get_by_role("region", name="What the service was asked")
    expect(asked_for).to_contain_text("the disk takes none (No space left on device)")
    # Nobody has looked whether Postgres takes them.
    expect(asked_for).not_to_contain_text("wait on disk")


def test_the_keyboard_reaches_what_scrolls(page: Page, url: str) -> None:
    page.goto(url)
    months = page.get_by_role("region", name="Months, table")
    months.focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_without_postgres_the_page_says_so(page: Page, app: Flask, tmp_path: Path) -> None:
    app.extensions[EXTENSION] = Reader("postgresql://taxi:x@127.0.0.1:9/taxi", "taxi-duration")
    with serving_app(app) as address:
        page.goto(f"{address}/monitoring")
        expect(page.get_by_role("alert")).to_contain_text("Postgres cannot be read")
        assert page.evaluate("document.documentElement.scrollWidth") <= 1440
