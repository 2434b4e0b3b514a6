"""The figures from a real Postgres, with the tables that the migrations make."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import text

from duration_service.monitoring.answer import Monitoring
from duration_service.monitoring.queries import QUERIES
from duration_service.monitoring.reading import EXTENSION, Reader
from monitored import with_own_database
from taxi_duration.contract import ModelVersion
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.monitoring.database import connect, upgrade
from taxi_duration.monitoring.tables import metadata
from taxi_duration.settings import Settings
from taxi_duration.stack.stack import Stack
from watched import DRIFTED, GAP, MONTHS, ask, fill, report, watch
from web_service.test_process import NOBODY, serving, until

pytestmark = pytest.mark.stack

ROOT = Path(__file__).resolve().parents[2]
# Written by the pipeline's own parts; of those here a made-up row tells as much.
FILLED = (
    *("performance_segments", "loaded_months", "quarantined", "live_windows", "live_columns"),
    *("outcomes", "retrainings", "alarms"),
)


@pytest.fixture(scope="module")
def database(postgres: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database without any schema."""
    with with_own_database(postgres.settings) as settings:
        yield settings.model_copy(update={"home": tmp_path_factory.mktemp("database")})


# Of two sources, and of more than a year before the latest month of its source.
MANY_OUTCOMES = """
    INSERT INTO monitoring.outcomes (prediction_id, role, trip_id, source, month, model_version,
        predicted_at, prediction, lower, upper, minutes, matched_at)
    SELECT gen_random_uuid(), 'champion', 'trip', source, month::date, '3', now(), 10, 8, 12, 11,
        now()
    FROM generate_series(1, 20000),
        (VALUES ('city', '2022-04-01'), ('simulated', '2022-05-01'), ('city', '2021-04-01'))
            AS brought (source, month)
"""


@pytest.fixture(scope="module")
def filled(database: Settings, model: DurationModel, champion: ModelVersion) -> Settings:
    """The same with months of figures, and requests of some hours."""
    upgrade(database)
    watch(database)
    ask(database, model, champion, 60)
    for name in FILLED:
        fill(database, name)
    return database


@pytest.fixture
def application(app: Flask, filled: Settings) -> Flask:
    """The service with a model, which reads those figures."""
    app.extensions[EXTENSION] = Reader.from_settings(filled)
    return app


def figures(application: Flask) -> Any:
    answer = application.test_client().get("/monitoring.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return answer.json


def tables(sql: str) -> set[str]:
    return set(re.findall(r"monitoring\.\w+", sql))


def test_a_database_without_tables_has_nothing_yet(app: Flask, postgres: Stack) -> None:
    with with_own_database(postgres.settings) as settings:
        app.extensions[EXTENSION] = Reader.from_settings(settings)
        answer = figures(app)
        page = app.test_client().get("/monitoring")
    assert set(answer["absent"]) == set(QUERIES)
    assert not any(answer[name] for name in QUERIES)
    assert page.status_code == 200
    assert page.text.count("Nothing yet.") > 10
    assert "✓" not in page.text


def test_every_query_has_rows_where_its_tables_have_and_no_other_is_absent(
    application: Flask,
) -> None:
    answer = figures(application)
    declared = {name for name, one in QUERIES.items() if tables(one.sql) <= set(metadata.tables)}
    assert set(answer["absent"]) == set(QUERIES) - declared
    assert answer["unread"] == {}
    assert {name for name in QUERIES if answer[name]} == declared


def test_the_answer_is_what_the_description_says(application: Flask) -> None:
    client = application.test_client()
    msgspec.json.decode(client.get("/monitoring.json").data, type=Monitoring)
    described: Any = client.get("/openapi.json").json
    assert set(figures(application)) == set(
        described["components"]["schemas"]["Monitoring"]["properties"]
    )


def test_every_field_is_in_the_page_of_the_api(application: Flask) -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    chapter = page.partition("## `GET /monitoring.json`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", chapter, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(
        figures(application)
    )


def test_figures_are_those_that_were_written(application: Flask) -> None:
    answer = figures(application)
    months = [one for one in MONTHS[::-1] if one != GAP]
    assert [one["month"] for one in answer["drift"]] == months
    latest = answer["drift"][0]
    assert (latest["month"], latest["drifted"], latest["drifted_columns"]) == (DRIFTED, True, 4)
    scores = [column["score"] for column in latest["columns"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["performance"][0]["mae"] == pytest.approx(3.5 + 0.12 * 8)
    assert answer["performance"][0]["reference_mae"] == pytest.approx(3.6)
    assert answer["performance"][-1]["floor_mae"] == pytest.approx(3.9)
    assert [one["to_version"] for one in answer["promotions"]] == ["3", "2", "1"]
    assert [one["status"] for one in answer["runs"]].count("failed") == 1
    assert [one["promoted"] for one in answer["decisions"]] == [True, False, True]
    assert answer["decisions"][1]["broken"]
    assert sum(hour["predictions"] for hour in answer["asked"]) == 120
    assert sum(hour["requests"] for hour in answer["asked"]) == 60
    assert {hour["unknown_area_share"] for hour in answer["asked"]} == {0.5}
    assert all(2 <= hour["p50_ms"] <= hour["p95_ms"] <= 8 for hour in answer["asked"])


def test_the_expected_error_is_that_of_trips_as_long_as_the_months(
    application: Flask, filled: Settings
) -> None:
    with connect(filled) as connection:
        rows = connection.execute(
            text(
                "SELECT dataset, mean FROM monitoring.data_quality"
                " WHERE column_name = 'trip_minutes' AND month = '2019-08-01'"
            )
        )
        mean = {row.dataset: row.mean for row in rows}
    latest = figures(application)["performance"][0]
    assert latest["expected_mae"] == pytest.approx(3.6 * mean["current"] / mean["reference"])


def test_the_page_shows_them(application: Flask) -> None:
    page = application.test_client().get("/monitoring").text
    for said in (
        *("4.46 min", "72.4%", "4 of 7", "last runs completed", "120 predictions"),
        *("TooManyBadTripsError", "/#/experiments/1/runs/2019-08/artifacts/drift.html"),
        "2 not promoted",
    ):
        assert said in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    named = re.findall(r'aria-labelledby="([^"]+)"', page)
    assert {one for names in named for one in names.split()} <= set(ids)
    assert not re.findall(r"\sstyle=|<style|<script|\son\w+=", page)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_what_others_wrote_is_text_in_the_page_and_no_markup(
    application: Flask, filled: Settings
) -> None:
    hurt = "<script>alert(1)</script>"
    run = {
        "pipeline": hurt,
        "run_id": hurt,
        "status": "failed",
        "error": hurt,
        "ended_at": datetime.now(UTC) - timedelta(days=400),
    }
    fill(filled, "pipeline_runs", **run)
    assert hurt not in application.test_client().get("/monitoring").text


def test_figures_are_good_for_some_seconds_and_then_read_again(
    application: Flask, filled: Settings
) -> None:
    before = figures(application)
    report(filled, "2019-02", "city")
    assert figures(application) == before
    application.extensions[EXTENSION]._until = 0.0
    after = figures(application)
    assert after["read_at"] > before["read_at"]
    assert {one["source"] for one in after["drift"]} == {"simulated", "city"}
    client = application.test_client()
    assert "city trips" in client.get("/monitoring?source=city").text


def test_a_query_that_takes_too_long_is_left_out_and_the_others_are_there(
    application: Flask, filled: Settings
) -> None:
    with connect(filled) as connection:
        connection.execute(text("LOCK TABLE monitoring.predictions IN ACCESS EXCLUSIVE MODE"))
        answer = figures(application)
    assert "asked" in answer["unread"]
    assert answer["drift"]
    assert "not known" in application.test_client().get("/monitoring").text


def test_the_outcomes_of_many_predictions_are_read_in_time(app: Flask, postgres: Stack) -> None:
    with with_own_database(postgres.settings) as settings:
        upgrade(settings)
        with connect(settings) as connection:
            connection.execute(text(MANY_OUTCOMES))
        app.extensions[EXTENSION] = Reader.from_settings(settings)
        answer = figures(app)
    assert answer["unread"] == {}
    assert [(one["source"], one["month"], one["predictions"]) for one in answer["outcomes"]] == [
        ("simulated", "2022-05", 20_000),
        ("city", "2022-04", 20_000),
    ]
    assert {one["mae"] for one in answer["outcomes"]} == {1.0}


def test_reading_changes_nothing_and_leaves_no_connection(
    application: Flask, filled: Settings
) -> None:
    figures(application)
    with connect(filled) as connection:
        left = connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = 'taxi-duration-monitoring'"
                " AND datname = current_database()"
            )
        )
        assert left.scalar_one() == 0


def test_the_running_service_answers_both_pages(filled: Settings) -> None:
    assert filled.database_url
    home = filled.home / "running"
    home.mkdir()
    (home / "stack.env").write_text(
        f"TAXI_DATABASE_URL='{filled.database_url.get_secret_value()}'\n"
    )
    settings = filled.model_copy(update={"home": home, "mlflow_url": NOBODY})
    with serving(settings) as service:
        until(lambda: service.get("/monitoring.json").status_code == 200)
        page = service.get("/monitoring")
        assert page.status_code == 200
        assert "no model" in page.text
