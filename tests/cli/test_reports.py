import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitored import figures, with_own_bucket
from taxi_duration.cli import main
from taxi_duration.monitoring.figures import Figures
from taxi_duration.monitoring.live import LiveFigures, live_document
from taxi_duration.monitoring.live_reports import publish_live
from taxi_duration.monitoring.live_window import Window
from taxi_duration.monitoring.reports import document, publish
from taxi_duration.settings import Settings

pytestmark = pytest.mark.stack

URL = "http://127.0.0.1:5000/#/experiments/1/runs/0123456789abcdef/artifacts/drift.html"


@pytest.fixture
def bucket(backends: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An empty bucket, which the command finds through the environment."""
    settings = with_own_bucket(backends)
    assert settings.s3_secret_access_key
    monkeypatch.setenv("TAXI_S3_BUCKET", settings.s3_bucket)
    monkeypatch.setenv("TAXI_S3_ENDPOINT", settings.s3_endpoint or "")
    monkeypatch.setenv("TAXI_S3_ACCESS_KEY_ID", settings.s3_access_key_id or "")
    secret = settings.s3_secret_access_key.get_secret_value()
    monkeypatch.setenv("TAXI_S3_SECRET_ACCESS_KEY", secret)
    return settings


@pytest.fixture
def reports(bucket: Settings, tmp_path: Path) -> list[Figures]:
    """Two reports."""
    made = [figures(month="2019-02"), figures(month="2019-03", model_version="floor")]
    for report in made:
        (tmp_path / "drift.html").write_text(f"<p>{report.month}</p>")
        (tmp_path / "drift.json").write_bytes(document(report, {"metrics": []}))
        publish(bucket, report, tmp_path, URL)
    return made


def taxi(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["reports", *map(str, arguments)])


def test_without_reports_the_next_step_is_told(bucket: Settings) -> None:
    assert taxi().output == "No reports yet: `taxi run` makes one.\n"


def test_each_report_is_listed_with_its_links_in_one_piece(
    bucket: Settings, reports: list[Figures]
) -> None:
    output = taxi().output
    for report in reports:
        assert (
            f"s3://{bucket.s3_bucket}/reports/drift/simulated/{report.month}/drift.html" in output
        )
    assert output.count(URL) == 2
    assert output.count("1 of 3") == 2
    assert "floor" in output


def test_the_list_can_be_of_one_month(reports: list[Figures]) -> None:
    output = taxi("2019-03").output
    assert "2019-03/drift.html" in output
    assert "2019-02/drift.html" not in output
    assert taxi("2018-01").output.startswith("No reports of 2018-01")


def test_all_figures_can_be_had_as_json(reports: list[Figures]) -> None:
    found = json.loads(taxi("--json").output)
    assert [report["figures"]["month"] for report in found] == ["2019-02", "2019-03"]
    assert found[0]["url"] == URL
    assert found[0]["figures"]["performance"]["current"]["mae"] > 0


def test_a_page_can_be_fetched(reports: list[Figures], tmp_path: Path) -> None:
    result = taxi("--save", tmp_path / "saved", "2019-03")
    path = tmp_path / "saved" / "drift-simulated-2019-03.html"
    assert result.output == f"{path}\n"
    assert path.read_text() == "<p>2019-03</p>"


def test_windows_of_live_traffic_are_listed_and_fetched(bucket: Settings, tmp_path: Path) -> None:
    assert taxi("--live").output.startswith("No window was compared yet")
    made = window()
    (tmp_path / "drift.html").write_text("<p>window</p>")
    (tmp_path / "drift.json").write_bytes(live_document(made, {"metrics": []}))
    publish_live(bucket, made.window, tmp_path, URL)
    output = taxi("--live").output
    assert "2026-01-31 09:00 to 10:00" in output
    assert "1 of 2" in output
    assert URL in output
    assert f"s3://{bucket.s3_bucket}/reports/live/2026-01-31T0900Z-1h/drift.html" in output
    (found,) = json.loads(taxi("--live", "--json").output)
    assert found["figures"]["predictions"] == 240
    path = tmp_path / "saved" / "live-2026-01-31T0900Z-1h.html"
    assert taxi("--live", "--save", tmp_path / "saved").output == f"{path}\n"
    assert path.read_text() == "<p>window</p>"
    # The reports of months are what they were.
    assert taxi().output.startswith("No reports yet")


def test_a_window_is_of_no_month() -> None:
    assert taxi("--live", "2019-03").exit_code == 2


def window() -> LiveFigures:
    """A window in which one of two columns drifted."""
    end = datetime(2026, 1, 31, 10, tzinfo=UTC)
    return LiveFigures(
        window=Window.until(end, hours=1),
        predictions=240,
        answered_requests=240,
        made_at=end,
        threshold=0.5,
        drift=figures().drift[:2],
        model_version="3",
    )


def test_what_is_no_month_is_refused() -> None:
    result = taxi("March")
    assert result.exit_code == 1
    assert "'March' is no month" in result.output
