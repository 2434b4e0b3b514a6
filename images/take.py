"""Take the README's pictures from the running stack: `make images`.

Chromium opens what a person would open; nothing is drawn by hand. The prediction is the answer that
the service gives at that moment.
"""

import html
import json
import shlex
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import TaxiError
from taxi_duration.monitoring.reports import list_reports
from taxi_duration.registry.champion import champion
from taxi_duration.registry.client import client
from taxi_duration.settings import Settings, load_settings

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TERMINAL = """
<body style="margin:0;background:#16181d;color:#e6e6e6;font:15px/1.5 'DejaVu Sans Mono',monospace">
<pre style="padding:24px;white-space:pre-wrap">{text}</pre></body>
"""


def sign_in(page: Page, settings: Settings) -> None:
    """Sign in to Mage as its owner."""
    assert settings.mage_owner_password, "the stack has not written Mage's sign-in yet"
    page.goto(f"{settings.mage_url}/sign-in")
    page.get_by_placeholder("Email").fill(settings.mage_owner_email)
    page.get_by_placeholder("Password").fill(settings.mage_owner_password.get_secret_value())
    page.get_by_role("button", name="Sign into Mage").click()
    page.wait_for_url(lambda url: "sign-in" not in url)


def pipeline(page: Page, settings: Settings) -> None:
    """The tree of blocks in Mage's editor."""
    # High enough for the whole tree above the buttons.
    page.set_viewport_size({"width": 1440, "height": 1000})
    sign_in(page, settings)
    page.goto(f"{settings.mage_url}/pipelines/taxi_duration/edit?sideview=tree")
    page.get_by_text("record_drift").first.wait_for()
    page.wait_for_timeout(4000)
    page.screenshot(path=HERE / "mage-pipeline.png")


def close_assistant(page: Page) -> None:
    """Close the panel that MLflow opens at a first visit and that hides a third of the page."""
    page.get_by_role("button", name="Close", exact=True).click()
    page.wait_for_timeout(3000)


def the_champion(settings: Settings) -> ModelVersion:
    """Whoever serves; TaxiError where nobody does."""
    best = champion(settings)
    if best is None:
        raise TaxiError("There is no champion to take a picture of.", "Run `make run` first.")
    return best


def run(page: Page, settings: Settings) -> None:
    """The champion's run in MLflow: figures, parameters, where it came from."""
    run_id = the_champion(settings).run_id
    experiment = client(settings).get_run(run_id).info.experiment_id
    page.goto(f"{settings.mlflow_url}/#/experiments/{experiment}/runs/{run_id}")
    page.get_by_text("within_5").first.wait_for()
    close_assistant(page)
    page.screenshot(path=HERE / "mlflow-run.png")


def model(page: Page, settings: Settings) -> None:
    """The champion's version in MLflow."""
    best = the_champion(settings)
    page.goto(f"{settings.mlflow_url}/#/models/{best.name}/versions/{best.version}")
    page.get_by_text(best.run_id[:8]).or_(page.get_by_text("champion")).first.wait_for()
    close_assistant(page)
    page.screenshot(path=HERE / "mlflow-model.png")


def report(page: Page, settings: Settings) -> None:
    """The newest drift report, as the MLflow UI shows it."""
    # Wide enough for the report's own columns beside MLflow's menu.
    page.set_viewport_size({"width": 1800, "height": 1000})
    newest = list_reports(settings)[-1]
    page.goto(newest.url)
    page.frame_locator("iframe").get_by_text("Drift").first.wait_for()
    close_assistant(page)
    page.screenshot(path=HERE / "drift-report.png")


def prediction(page: Page, settings: Settings) -> None:
    """A question to the service and what it answers."""
    trip = {
        "pickup_community_area": 8,
        "dropoff_community_area": 76,
        "trip_start_timestamp": "2022-04-01T10:30:00",
    }
    command = (
        f"curl -X POST {settings.service_url}/predict -H 'Content-Type: application/json' \\\n"
        f"    -d '{json.dumps(trip)}'"
    )
    answer = subprocess.run(
        [*shlex.split(command.replace("\\\n", "")), "--silent", "--fail"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    text = f"$ {command}\n\n{json.dumps(json.loads(answer), indent=2)}"
    page.set_content(TERMINAL.format(text=html.escape(text)))
    page.set_viewport_size({"width": 1180, "height": 330})
    page.screenshot(path=HERE / "prediction.png")


def open_service_page(page: Page, settings: Settings) -> None:
    """Open the service's page with the trip of the README, answered."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{settings.service_url}/?from=8&to=76&at=2022-04-01T10:30")
    page.locator("#model-facts dd").first.wait_for()


def service_page(page: Page, settings: Settings) -> None:
    """The service's own page on a desk."""
    page.set_viewport_size({"width": 1280, "height": 860})
    open_service_page(page, settings)
    page.screenshot(path=HERE / "service-page.png", full_page=True)


def service_page_phone(page: Page, settings: Settings) -> None:
    """The same on a phone, in the dark."""
    page.set_viewport_size({"width": 390, "height": 1180})
    page.emulate_media(color_scheme="dark")
    open_service_page(page, settings)
    page.screenshot(path=HERE / "service-page-phone.png")


def monitoring(page: Page, settings: Settings) -> None:
    """How the model does, as the service shows it."""
    page.set_viewport_size({"width": 1280, "height": 1500})
    page.goto(f"{settings.service_url}/monitoring")
    page.get_by_role("heading", name="Error by month").wait_for()
    page.screenshot(path=HERE / "monitoring.png")


PICTURES = (pipeline, run, model, report, prediction, service_page, service_page_phone, monitoring)


def take(browser: Browser, settings: Settings) -> None:
    """Take every picture, each in a fresh page."""
    for picture in PICTURES:
        page = browser.new_page(viewport={"width": 1440, "height": 860})
        picture(page, settings)
        page.close()
        print(f"images: {picture.__name__} taken", file=sys.stderr)


if __name__ == "__main__":
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as chromium,
    ):
        take(chromium, load_settings())
