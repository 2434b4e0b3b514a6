import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitored import figures, with_own_bucket
from taxi_duration.cli import main
from taxi_duration.monitoring.figures import Figures
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


def test_what_is_no_month_is_refused() -> None:
    result = taxi("March")
    assert result.exit_code == 1
    assert "'March' is no month" in result.output
