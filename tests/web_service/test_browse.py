"""The page at `/docs/`, in a real browser."""

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware


@pytest.mark.browser
@pytest.mark.parametrize("prefix", ["", "/prod"])
def test_the_page_shows_and_tries_every_endpoint_and_asks_no_other_server(
    live: str, app: Flask, browser_page: Page, prefix: str
) -> None:
    if prefix:
        app.wsgi_app = DispatcherMiddleware(NotFound(), {prefix: app.wsgi_app})  # type: ignore[method-assign]
    live += prefix
    asked: list[str] = []
    said: list[str] = []
    browser_page.on("request", lambda request: asked.append(request.url))
    browser_page.on("console", lambda message: said.append(message.text))
    browser_page.on("pageerror", lambda error: said.append(str(error)))
    browser_page.goto(f"{live}/docs")
    paths = httpx.get(f"{live}/openapi.json").json()["paths"]
    expect(browser_page.locator(".opblock")).to_have_count(len(paths))

    browser_page.locator(".opblock-post .opblock-summary-control").click()
    browser_page.get_by_role("button", name="Execute").click()
    answer = browser_page.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").nth(1)).to_contain_text("200")
    expect(answer).to_contain_text('"unit": "minutes"')

    assert f"{live}/predict" in asked
    assert {url for url in asked if not url.startswith((f"{live}/", "data:"))} == set()
    assert said == []


@pytest.mark.browser
def test_a_phone_shows_the_page_in_its_own_width(live: str, browser: Browser) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True) as phone:
        page = phone.new_page()
        page.goto(f"{live}/docs/")
        expect(page.locator(".opblock-post")).to_be_visible()
        # A page that is wider would be shown smaller, in a window as wide as it.
        assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]


def test_the_browser_is_forbidden_to_ask_other_servers(live: str) -> None:
    for path in ("/docs/", "/docs/swagger-ui-bundle.js"):
        policy = httpx.get(live + path).headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "http" not in policy


def test_only_the_pages_own_files_are_served(live: str) -> None:
    for path in ("/docs/../app.py", "/docs/%2e%2e/flask_swagger_ui.py", "/docs//etc/passwd"):
        assert httpx.get(live + path, follow_redirects=True).status_code == 404
