"""The page in Chromium, with the service behind it."""

import re
import shutil
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect

from duration_service.champion import EXTENSION, ModelHolder, Served
from in_thread import serving_app
from taxi_duration.areas import LOOP, OHARE
from taxi_duration.contract import CHICAGO, ModelVersion
from taxi_duration.model.duration_model import DurationModel

pytestmark = pytest.mark.browser

NEAR_NORTH_SIDE = 8
HYDE_PARK = 41
MORNING = "2022-04-01T10:30"
TRIP = f"/?from={NEAR_NORTH_SIDE}&to={OHARE}&at={MORNING}"
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    with serving_app(app) as address:
        yield address


@pytest.fixture
def page(browser_page: Page) -> Iterator[Page]:
    """A page that must not say anything in the console, nor ask any host but the service's."""
    said: list[str] = []
    browser_page.on("console", lambda message: said.append(message.text))
    browser_page.on("pageerror", lambda error: said.append(str(error)))
    asked: set[str | None] = set()
    browser_page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
    yield browser_page
    # The browser itself writes a line for an answer that is no success, and for what is no time.
    own = r"status of (422|429|503)|does not conform to the required format"
    assert [line for line in said if not re.search(own, line)] == []
    assert asked == {"127.0.0.1"}


def asked(url: str, pickup: int | None, dropoff: int | None, time: str) -> dict[str, Any]:
    """What /predict answers to anybody else."""
    trip = {
        "pickup_community_area": pickup,
        "dropoff_community_area": dropoff,
        "trip_start_timestamp": time,
    }
    answer: dict[str, Any] = httpx.post(f"{url}/predict", json=trip).raise_for_status().json()
    return answer


def expect_answer(page: Page, answer: dict[str, Any]) -> None:
    """The page shows this answer, in whole minutes."""
    lower, upper = round(answer["lower"]), round(answer["upper"])
    expect(page.locator("#minutes")).to_have_text(str(round(answer["prediction"])))
    expect(page.locator("#sentence")).to_contain_text(f"eight of ten take {lower} to {upper}")


def query(page: Page) -> dict[str, str]:
    values = parse_qs(urlsplit(page.url).query, keep_blank_values=True)
    return {name: value for name, (value,) in values.items()}


def click_area(page: Page, area: int) -> None:
    page.locator(f'.cell[data-area="{area}"]').click()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))


def wrong_contrasts(page: Page) -> list[Any]:
    """Texts in which WCAG 2.2 AA would not be met: 4.5 to 1, or 3 to 1 where they are large."""
    texts: list[Any] = page.evaluate(CONTRAST)
    assert len(texts) > 40
    return [text for text in texts if text["ratio"] < (3 if text["large"] else 4.5)]


def hidden(page: Page) -> list[int]:
    """Pixels of each table that only scrolling shows."""
    script = (
        "[...document.querySelectorAll('.scroll')].map("
        "e => getComputedStyle(e).overflowY === 'visible' ? 0 : e.scrollHeight - e.clientHeight)"
    )
    pixels: list[int] = page.evaluate(script)
    return pixels


def test_an_address_with_a_trip_shows_its_answer_and_who_gave_it(
    page: Page, url: str, champion: ModelVersion
) -> None:
    page.goto(url + TRIP)
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    expect(page.locator("#sentence")).to_contain_text("Friday, April 1, 2022, 10:30")
    expect(page.locator("#model-facts")).to_contain_text(f"version {champion.version}")
    expect(page.locator("#model-facts")).to_contain_text("January 2022 and February 2022")
    expect(page.locator("#model-facts")).to_contain_text("4.1 minutes")
    expect(page.locator("#simulated")).to_be_visible()


def test_a_model_of_real_trips_is_not_called_simulated(
    page: Page, app: Flask, url: str, model: DurationModel, champion: ModelVersion
) -> None:
    holder: ModelHolder = app.extensions[EXTENSION]
    real = ModelVersion(champion.name, "4", "run-4", "city", ["2022-03"], {}, datetime.now(UTC))
    holder.served = Served(real, model, "registry", datetime.now(UTC))
    page.goto(url + TRIP)
    expect(page.locator("#model-facts")).to_contain_text("the City's taxi trips")
    expect(page.locator("#model-facts")).not_to_contain_text("Usual error")
    expect(page.locator("#simulated")).to_be_hidden()


def test_two_clicks_on_the_map_choose_the_trip(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    expect(page.locator("#hint")).to_have_text("The next click sets the pickup")
    click_area(page, LOOP)
    expect(page.locator("#pickup")).to_have_value(str(LOOP))
    click_area(page, HYDE_PARK)
    expect(page.locator("#dropoff")).to_have_value(str(HYDE_PARK))
    expect_answer(page, asked(url, LOOP, HYDE_PARK, MORNING))
    assert query(page) == {"from": str(LOOP), "to": str(HYDE_PARK), "at": MORNING}
    page.reload()
    expect_answer(page, asked(url, LOOP, HYDE_PARK, MORNING))


def test_the_map_tells_the_minutes_to_the_area_under_the_pointer(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    expect(page.locator(".cell[data-shade]")).to_have_count(77)
    page.locator(f'.cell[data-area="{HYDE_PARK}"]').hover()
    minutes = round(asked(url, NEAR_NORTH_SIDE, HYDE_PARK, MORNING)["prediction"])
    expect(page.locator("#hint")).to_contain_text(f"Hyde Park: {minutes} min from Near North Side")
    expect(page.locator("#hint")).to_contain_text("The next click sets the pickup")


def test_the_minutes_to_each_area_are_a_table_for_the_keyboard_too(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    summary = page.get_by_text("The map as a table")
    expect(summary).to_be_visible()
    summary.focus()
    page.keyboard.press("Enter")
    table = page.get_by_role("table", name="Minutes from Near North Side to each area")
    expect(table.get_by_role("row")).to_have_count(78)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.contains(document.getElementById('reach-table'))")
    listed = page.locator("#dropoff option").all_inner_texts()[1:]
    assert table.get_by_role("rowheader").all_inner_texts() == listed
    row = table.get_by_role("row").filter(has_text="Hyde Park")
    answer = asked(url, NEAR_NORTH_SIDE, HYDE_PARK, MORNING)
    shown = [float(one) for one in re.findall(r"[\d.]+", row.inner_text())]
    expected = [answer[name] for name in ("prediction", "lower", "upper")]
    assert shown == pytest.approx(expected, abs=0.051)
    page.locator("#time").fill("1999-04-01T10:30")
    expect(page.get_by_role("alert")).not_to_be_empty()
    expect(table).to_be_hidden()
    expect(page.locator(".cell[data-shade]")).to_have_count(0)


def test_the_field_that_the_next_click_sets_is_marked(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    label = "document.querySelector(`#${field}-field label`)"
    mark = f"field => getComputedStyle({label}, '::after').content"
    for field, other in (("pickup", "dropoff"), ("dropoff", "pickup")):
        assert "next on the map" in page.evaluate(mark, field)
        assert page.evaluate(mark, other) == "none"
        click_area(page, LOOP)
    expect(page.get_by_label("From", exact=True)).to_have_value(str(LOOP))


def test_the_keyboard_alone_chooses_a_trip(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    order = []
    for _ in range(4):
        page.keyboard.press("Tab")
        order.append(focused(page))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if order[-1] == "pickup":
            page.keyboard.type("Loop")
        if order[-1] == "dropoff":
            page.keyboard.type("Hyde")
    assert order == ["pickup", "swap", "dropoff", "time"]
    expect_answer(page, asked(url, LOOP, HYDE_PARK, MORNING))
    page.locator("#swap").focus()
    page.keyboard.press("Enter")
    expect_answer(page, asked(url, HYDE_PARK, LOOP, MORNING))


def test_a_place_that_is_not_known_can_be_read_where_the_fields_are_narrowest(
    page: Page, url: str
) -> None:
    page.set_viewport_size({"width": 900, "height": 740})
    page.goto(f"{url}/?from=&to={LOOP}&at={MORNING}")
    room, text = page.evaluate(
        "() => { const field = document.getElementById('pickup'), style = getComputedStyle(field);"
        " const pen = document.createElement('canvas').getContext('2d'); pen.font = style.font;"
        # Chromium's arrow takes some twenty pixels besides.
        " return [field.clientWidth - 2 * parseFloat(style.paddingLeft) - 20,"
        " pen.measureText(field.selectedOptions[0].text).width]; }"
    )
    assert text <= room


@pytest.mark.parametrize("width", [360, 768])
def test_the_keyboard_goes_down_the_page(page: Page, url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(url + TRIP)
    expect(page.locator("#model-facts")).not_to_be_empty()
    tops = page.evaluate(
        "[...document.querySelectorAll('select, input, summary, footer a')]"
        ".map(e => e.closest('form, section, footer').getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)


def test_what_a_screen_reader_meets_has_names_and_the_answer_is_announced(
    page: Page, url: str
) -> None:
    page.goto(url + TRIP)
    expect(page.locator("#minutes")).not_to_be_empty()
    expect(page.get_by_label("From", exact=True)).to_have_value(str(NEAR_NORTH_SIDE))
    expect(page.get_by_label("To", exact=True)).to_have_value(str(OHARE))
    expect(page.get_by_label("When")).to_have_value(MORNING)
    expect(page.get_by_role("button", name="Swap pickup and dropoff")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Near North Side to O'Hare")
    expect(page.get_by_role("img", name=re.compile("Map From Near North Side"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Over the day .* Quickest at"))).to_be_visible()
    expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")


def test_the_days_curve_is_what_predict_answers(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    page.get_by_text("The day as a table").click()
    rows = page.locator("#table tr")
    expect(rows).to_have_count(48)
    for row in (rows.nth(0), rows.nth(21), rows.nth(47)):
        time, *minutes = re.findall(r"[\d:.]+", row.inner_text())
        answer = asked(url, NEAR_NORTH_SIDE, OHARE, f"2022-04-01T{time}")
        expected = [answer[name] for name in ("prediction", "lower", "upper")]
        assert [float(one) for one in minutes] == pytest.approx(expected, abs=0.051)
    drawn = page.locator("#curve .median").get_attribute("d") or ""
    assert len(drawn.split("L")) == 49


def test_a_click_on_the_curve_chooses_its_time(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    curve = page.locator("#curve")
    expect(curve).to_be_visible()
    box = curve.bounding_box()
    assert box is not None
    curve.click(position={"x": box["width"] * 0.75, "y": 60})
    time = query(page)["at"]
    assert "2022-04-01T16:00" <= time <= "2022-04-01T19:30"
    expect(page.locator("#time")).to_have_value(time)
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, time))


def test_without_a_time_it_is_now_in_chicago(page: Page, url: str) -> None:
    page.goto(f"{url}/?from={LOOP}&to=")
    shown = datetime.fromisoformat(page.locator("#time").input_value())
    now = datetime.now(CHICAGO).replace(tzinfo=None)
    assert abs(now - shown) < timedelta(minutes=3)
    expect(page.locator("#sentence")).to_contain_text("Loop to outside the city")


def test_a_sentence_begins_with_a_capital_wherever_the_trip_begins(page: Page, url: str) -> None:
    page.goto(f"{url}/?from=&to={LOOP}&at={MORNING}")
    expect(page.locator("#sentence")).to_have_text(re.compile("^Outside the city to Loop"))


def test_without_a_model_it_says_so_and_asks_again_until_there_is_one(
    page: Page, empty: Flask, model: DurationModel, champion: ModelVersion
) -> None:
    empty.config["RETRY_AFTER"] = "1"
    with serving_app(empty) as url:
        page.goto(url + TRIP)
        trouble = page.get_by_role("alert")
        expect(trouble).to_contain_text("There is no model yet.")
        expect(trouble).to_contain_text(re.compile(r"asks again in \d+ seconds"))
        expect(page.locator("#day")).to_be_hidden()
        holder: ModelHolder = empty.extensions[EXTENSION]
        holder.served = Served(champion, model, "registry", datetime.now(UTC))
        expect(page.locator("#minutes")).not_to_be_empty()
        expect(trouble).to_be_empty()


@pytest.mark.parametrize("status", [429, 503])
def test_an_answer_is_shown_also_while_nobody_tells_of_its_model(
    page: Page, url: str, champion: ModelVersion, status: int
) -> None:
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=status, json={"detail": "Not now."})

    page.clock.install()
    page.route("**/model", refuse)
    page.goto(url + TRIP)
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    expect(page.locator("#model-facts")).to_contain_text(f"version {champion.version}")
    expect(page.locator("#model-facts")).not_to_contain_text("Learned from")
    expect(page.get_by_role("alert")).to_be_empty()
    assert len(refused) == 1
    page.unroute("**/model")
    page.clock.fast_forward(10_000)
    expect(page.locator("#model-facts")).to_contain_text("simulated trips")


def test_what_the_service_refuses_is_said_in_its_words(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    # As if the page did not know which years the service answers for.
    page.locator("#time").evaluate("field => field.removeAttribute('min')")
    page.locator("#time").fill("1999-04-01T10:30")
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text("a time in Chicago, 2001 to 2100")
    # Once, although the page asks for the whole day.
    assert len(re.findall("1999", trouble.inner_text())) == 1
    expect(page.locator("#duration")).to_be_hidden()
    page.locator("#time").fill(MORNING)
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (
            "2022-03-13T02:30",
            "There is no 02:30 on Sunday, March 13, 2022: summer time begins in Chicago, and clocks"
            " go from 2:00 to 3:00. Please choose another time.",
        ),
        (
            "1999-04-01T10:30",
            "Rides can be asked for in the years 2001 to 2100. Please choose another time.",
        ),
    ],
)
def test_a_time_that_cannot_be_is_told_in_words_for_people(
    page: Page, url: str, time: str, words: str
) -> None:
    page.goto(f"{url}/?from={NEAR_NORTH_SIDE}&to={OHARE}&at={time}")
    expect(page.get_by_role("alert")).to_have_text(words)
    expect(page.locator("#duration")).to_be_hidden()
    page.locator("#time").fill(MORNING)
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.parametrize("year", [2005, 2022, 2100])
def test_a_day_with_an_hour_that_clocks_skip_is_shown_without_that_hour(
    page: Page, url: str, year: int
) -> None:
    day = {2005: "2005-04-03", 2022: "2022-03-13", 2100: "2100-03-14"}[year]
    page.goto(f"{url}/?from={NEAR_NORTH_SIDE}&to={OHARE}&at={day}T10:30")
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, f"{day}T10:30"))
    expect(page.get_by_role("alert")).to_be_empty()
    page.get_by_text("The day as a table").click()
    times = page.locator("#table th").all_inner_texts()
    assert len(times) == 46
    assert times[2:6] == ["01:00", "01:30", "03:00", "03:30"]
    answer = asked(url, NEAR_NORTH_SIDE, OHARE, f"{day}T03:00")
    expect(page.locator("#table tr").nth(4)).to_contain_text(f"{answer['prediction']:.1f}")
    curve = page.locator("#curve")
    box = curve.bounding_box()
    assert box is not None
    curve.click(position={"x": 34 + (box["width"] - 54) * 0.75, "y": 60})
    expect(page.locator("#time")).to_have_value(f"{day}T18:00")


def test_what_is_wrong_in_the_address_is_told_until_something_else_is_chosen(
    page: Page, url: str
) -> None:
    wrong = f"{url}/?from=999&to=abc&at=yesterday"
    page.goto(wrong)
    trouble = page.get_by_role("alert")
    expect(trouble).to_have_text(
        "In this page's address the ride begins in “999”, which is none of Chicago's areas, and"
        " ends in “abc”, which is none of Chicago's areas, and starts at “yesterday”, which is not"
        " a time. Please choose anew."
    )
    expect(page.locator("#duration")).to_be_hidden()
    for field in ("pickup", "dropoff"):
        assert page.locator(f"#{field}").evaluate("field => field.selectedIndex") == -1
    expect(page.locator("#map-text")).to_contain_text("From an area yet to be chosen to an area")

    page.locator("#swap").click()
    expect(trouble).to_contain_text("begins in “abc”")
    click_area(page, LOOP)
    expect(trouble).not_to_contain_text("begins in")
    # What is still wrong is so for whoever gets the address, too.
    assert query(page) == {"from": str(LOOP), "to": "999", "at": "yesterday"}
    page.get_by_label("To", exact=True).select_option("Outside or unknown")
    expect(trouble).to_have_text(
        "In this page's address the ride starts at “yesterday”, which is not a time."
        " Please choose anew."
    )
    page.locator("#time").fill(MORNING)
    expect_answer(page, asked(url, LOOP, None, MORNING))
    expect(trouble).to_be_empty()
    assert query(page) == {"from": str(LOOP), "to": "", "at": MORNING}


def test_an_area_in_the_address_may_be_written_as_the_city_writes_it(page: Page, url: str) -> None:
    page.goto(f"{url}/?from=8.0&to={OHARE}&at={MORNING}")
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(page: Page, url: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(url + TRIP)
    expect(page.locator("#model-facts")).not_to_be_empty()
    page.get_by_text("The day as a table").click()
    page.get_by_text("The map as a table").click()
    brightness = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", brightness)[0]) < 128) == (scheme == "dark")
    assert wrong_contrasts(page) == []
    page.evaluate("document.getElementById('trouble').textContent = 'There is no model yet.'")
    assert wrong_contrasts(page) == []


@pytest.mark.parametrize("width", [320, 360, 768])
def test_a_small_screen_needs_no_scrolling_to_the_side(page: Page, url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(url + TRIP)
    expect(page.locator("#model-facts")).not_to_be_empty()
    page.get_by_text("The day as a table").click()
    page.get_by_text("The map as a table").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        "[...document.querySelectorAll('select, input, button')]"
        ".filter(e => e.getBoundingClientRect().height < 44).length"
    )
    assert small == 0
    page.locator(f'.cell[data-area="{HYDE_PARK}"]').click()
    expect(page.locator("#pickup")).to_have_value(str(HYDE_PARK))


def test_nothing_moves_for_those_who_want_no_motion(page: Page, url: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(url + TRIP)
    expect(page.locator("#model-facts")).not_to_be_empty()
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("width", [320, 1280])
def test_all_that_is_read_grows_with_the_browsers_own_size_of_text(
    page: Page, url: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(url + TRIP)
    expect(page.locator("#model-facts")).not_to_be_empty()
    # What a person's setting of the browser changes.
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    read = "#sentence, #simulated, select, input, button, dd, summary, footer p"
    small = page.evaluate(
        f"[...document.querySelectorAll('{read}')]"
        ".filter(e => parseFloat(getComputedStyle(e).fontSize) < 28).map(e => e.outerHTML)"
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[now, swap].filter(e => e.scrollWidth > e.clientWidth).length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_legend_has_the_shades_of_the_map_also_in_the_systems_own_colours(
    page: Page, url: str, scheme: Any
) -> None:
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.goto(url + TRIP)
    expect(page.locator("#model-facts")).not_to_be_empty()
    shades = """selector => Object.fromEntries(
        [...document.querySelectorAll(`${selector}[data-shade]`)].map(e => [
            e.dataset.shade, getComputedStyle(e)[selector === ".cell" ? "fill" : "borderTopColor"]
        ]))"""
    legend = page.evaluate(shades, "#legend-steps li")
    page.wait_for_function("() => document.getAnimations().length === 0")
    cells = page.evaluate(shades, ".cell")
    assert len(set(legend.values())) == len(legend) == 6
    assert cells
    assert cells.items() <= legend.items()


def test_the_present_time_is_that_of_the_question_and_not_that_of_the_pages_start(
    page: Page, url: str
) -> None:
    page.clock.install(time=datetime(2022, 4, 1, 15, 30, tzinfo=UTC))
    page.goto(f"{url}/?from={NEAR_NORTH_SIDE}&to={OHARE}")
    page.clock.run_for(1_000)
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    page.clock.fast_forward("07:00:00")
    page.get_by_label("From", exact=True).select_option(str(LOOP))
    page.clock.run_for(1_000)
    expect_answer(page, asked(url, LOOP, OHARE, "2022-04-01T17:30"))
    expect(page.get_by_label("When")).to_have_value("2022-04-01T17:30")
    assert query(page) == {"from": str(LOOP), "to": str(OHARE)}


def test_a_time_that_is_half_written_is_not_taken_for_the_present_one(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    hour = 3  # after month, day and year
    page.get_by_label("When").focus()
    for _ in range(hour):
        page.keyboard.press("Tab")
    page.keyboard.press("Backspace")
    expect(page.get_by_role("alert")).to_contain_text("The time is not complete")
    expect(page.locator("#duration")).to_be_hidden()
    page.keyboard.type("10")
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    assert query(page)["at"] == MORNING


def test_a_refusal_of_the_trip_before_is_not_told_of_the_one_that_is_asked_now(
    page: Page, app: Flask, url: str
) -> None:
    page.goto(url + TRIP)
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    go_on = threading.Event()
    answering = app.wsgi_app

    def refuse_slowly(environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/predict":
            return answering(environ, start_response)
        app.wsgi_app = answering  # type: ignore[method-assign]
        start_response("503 Service Unavailable", [("Content-Type", "application/problem+json")])
        return slow_body()

    def slow_body() -> Iterator[bytes]:
        yield b"{"
        go_on.wait(20)
        yield b"}"

    page.evaluate(
        """() => {
            globalThis.said = [];
            new MutationObserver(() => said.push(trouble.textContent))
                .observe(trouble, { childList: true });
        }"""
    )
    app.wsgi_app = refuse_slowly  # type: ignore[method-assign]
    with page.expect_response("**/predict"):
        page.get_by_label("From", exact=True).select_option(str(LOOP))
    page.get_by_label("From", exact=True).select_option(str(HYDE_PARK))
    expect_answer(page, asked(url, HYDE_PARK, OHARE, MORNING))
    go_on.set()
    assert [words for words in page.evaluate("said") if words] == []


@pytest.mark.parametrize("said", ["null", '{"errors": {"code": 503}}', "<h1>Busy</h1>"])
def test_what_something_between_says_is_told_by_its_status(page: Page, url: str, said: str) -> None:
    page.route(
        "**/predict",
        lambda route: route.fulfill(status=503, content_type="application/json", body=said),
    )
    page.goto(url + TRIP)
    expect(page.get_by_role("alert")).to_have_text(
        "The service answered with status 503. This page asks again in 5 seconds."
    )


def test_a_service_that_hangs_is_told_and_asked_again(page: Page, url: str) -> None:
    page.add_init_script(
        "const own = AbortSignal.timeout.bind(AbortSignal);"
        "AbortSignal.timeout = (milliseconds) => own(milliseconds / 20);"
    )
    page.route("**/predict", lambda _route: None, times=1)
    page.goto(url + TRIP)
    expect(page.get_by_role("alert")).to_have_text(
        "The service cannot be reached. This page asks again in 5 seconds."
    )
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    expect(page.get_by_role("alert")).to_be_empty()


def test_on_paper_nothing_is_hidden_that_would_have_to_be_scrolled(page: Page, url: str) -> None:
    page.goto(url + TRIP)
    expect(page.locator("#model-facts")).not_to_be_empty()
    page.get_by_text("The day as a table").click()
    page.get_by_text("The map as a table").click()
    assert [scrolled > 0 for scrolled in hidden(page)] == [True, True]
    page.emulate_media(media="print")
    assert hidden(page) == [0, 0]


def test_an_answer_does_not_wait_for_what_is_told_of_its_model(page: Page, url: str) -> None:
    page.route("**/model", lambda _route: None)
    page.goto(url + TRIP)
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")


def test_what_was_chosen_before_the_script_came_stays_chosen(page: Page, url: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/page.js", hold)
    with page.expect_request("**/page.js"):
        page.goto(url + TRIP, wait_until="commit")
    page.get_by_label("From", exact=True).select_option(str(LOOP))
    for route in held:
        route.continue_()
    expect_answer(page, asked(url, LOOP, OHARE, MORNING))
    assert query(page) == {"from": str(LOOP), "to": str(OHARE), "at": MORNING}


def test_a_script_that_does_not_come_is_told_after_a_while(page: Page, url: str) -> None:
    held: list[Route] = []
    page.emulate_media(reduced_motion="reduce")
    page.route("**/page.js", lambda route: held.append(route))  # noqa: PLW0108  Playwright marks it
    page.goto(url + TRIP, wait_until="commit")
    told = page.get_by_text("Not all of this page has come yet.")
    expect(told).to_be_attached()
    expect(told).to_be_hidden()
    expect(told).to_be_visible(timeout=15_000)
    held[0].continue_()
    expect_answer(page, asked(url, NEAR_NORTH_SIDE, OHARE, MORNING))
    expect(told).not_to_be_attached()


def test_large_text_gets_the_room_of_a_small_screen(browser: Browser, url: str) -> None:
    flags = ["--no-sandbox", "--blink-settings=defaultFontSize=32"]
    chromium = shutil.which("chromium")
    with browser.browser_type.launch(executable_path=chromium, args=flags) as large:
        page = large.new_page(viewport={"width": 1280, "height": 740})
        page.goto(url + TRIP)
        expect(page.locator("#model-facts")).not_to_be_empty()
        columns = "getComputedStyle(document.querySelector('main')).gridTemplateColumns"
        assert len(page.evaluate(columns).split()) == 1
