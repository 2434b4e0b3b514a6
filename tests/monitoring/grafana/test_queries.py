"""Every query of the dashboards and alert rules, answered by real servers.

A real run of the pipeline's functions fills Postgres, the real service fills the log of predictions
and its metrics, and a real Prometheus scrapes it.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx
import psycopg2
import pytest
import yaml
from pydantic import SecretStr
from sqlalchemy import update

from mage_parts import city, free_port, running, wait_for
from monitored import with_own_database
from taxi_duration.monitoring import retrainings
from taxi_duration.monitoring.alarms import Alarm, raise_alarm
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.grafana.alerts import rules
from taxi_duration.monitoring.grafana.files import dashboards
from taxi_duration.monitoring.judged_months import read_judged
from taxi_duration.monitoring.live_window import PAGE_PICTURES
from taxi_duration.monitoring.model_history import append
from taxi_duration.monitoring.need import Need
from taxi_duration.monitoring.tables import predictions
from taxi_duration.pipeline.drift import drift_report, export_report, record_drift, score_trips
from taxi_duration.pipeline.drilling import drilled
from taxi_duration.pipeline.ending import record_ending
from taxi_duration.pipeline.gate import gate, register_model
from taxi_duration.pipeline.live import (
    LiveVariables,
    compare_window,
    load_window,
    record_window,
)
from taxi_duration.pipeline.loading import clean_trips, load_trips
from taxi_duration.pipeline.promotion import Cause, aliases
from taxi_duration.pipeline.training import build_features, evaluate_models, train_models
from taxi_duration.pipeline.truth import record_truth
from taxi_duration.pipeline.variables import RunVariables
from taxi_duration.registry.champion import CHALLENGER
from taxi_duration.registry.versions import Change
from taxi_duration.settings import Settings
from taxi_duration.simulation.source import DRILL
from taxi_duration.storage import Storage
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from training_parts import own_place
from web_service.test_process import Service, serving, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

MONTHS = ["2019-03", "2019-04"]
SOURCE = "simulated"
# As Grafana has them: https://github.com/grafana/grafana/blob/main/pkg/tsdb/grafana-postgresql-datasource/macros.go
MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^\)]*)\)")
NUMBERS = {20, 21, 23, 700, 701, 1700}
TIMES = {1082, 1114, 1184}
TEXTS = {18, 25, 1043}
MANY = 25


class Answer(NamedTuple):
    """What Postgres answered: rows, and the type of each column by its name."""

    kinds: dict[str, int]
    rows: list[dict[str, Any]]

    def names(self, kinds: set[int]) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind in kinds]


@pytest.fixture(scope="module")
def outputs() -> list[dict[str, Any]]:
    """What the runs handed on."""
    return []


@pytest.fixture(scope="module")
def settings(
    backends: Settings, outputs: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """All that two runs of the pipeline leave behind, and one that failed."""
    own = {
        "home": tmp_path_factory.mktemp("home"),
        "report_sample": 500,
        "city_attempts": 1,
        "live_min_predictions": 10,
        # Nobody listens there: an alarm that cannot be sent.
        "alarm_webhook_url": SecretStr("http://127.0.0.1:9/"),
    }
    with (
        city() as url,
        with_own_database(
            own_place(backends).model_copy(update={**own, "city_api": url})
        ) as settings,
    ):
        for number, month in enumerate(MONTHS, 1):
            outputs.append(run_pipeline(settings, month))
            end_run(settings, number, outputs[-1])
        end_run(settings, 3, {"month": "2019-05", "source": SOURCE}, error="no such month")
        with aliases(settings) as held:
            other = "1" if held.champion == "2" else "2"
            held.move(CHALLENGER, other, Cause("challenge", "a test", "It runs in shadow."))
        run_loop(settings)
        end_drill(settings)
        yield settings


def run_pipeline(settings: Settings, month: str) -> dict[str, Any]:
    """Both branches of one run, one function of a block after the other."""
    variables = RunVariables(month=month, history=1, cap=3_000, seed=42)
    cleaned = clean_trips(settings, load_trips(settings, variables))
    record_truth(settings, cleaned)
    trained = train_models(settings, build_features(settings, cleaned))
    register_model(settings, gate(settings, evaluate_models(settings, trained)))
    reported = drift_report(settings, score_trips(settings, cleaned))
    return record_drift(settings, export_report(settings, reported))


def run_by_the_hour(settings: Settings, numbers: list[int]) -> None:
    """Runs of the hourly pipeline, as if in each of these hours all had been asked."""
    now = datetime.now(UTC) + timedelta(minutes=1)
    hours = len(numbers) - 1
    move_log(settings, -hours)
    for number in numbers:
        run_live(settings, number, now - timedelta(hours=hours))
        if hours:
            hours -= 1
            move_log(settings, 1)


def move_log(settings: Settings, hours: int) -> None:
    with connect(settings) as connection:
        moved = predictions.c.predicted_at + timedelta(hours=hours)
        connection.execute(update(predictions).values(predicted_at=moved))


def run_live(settings: Settings, number: int, at: datetime) -> None:
    """One run of the hourly pipeline."""
    loaded = load_window(settings, LiveVariables(hours=1, seed=42, execution_date=at))
    output = record_window(settings, compare_window(settings, loaded))
    end_run(settings, number, output, pipeline="live_monitoring")


def run_loop(settings: Settings) -> None:
    """A decision to train again, and an alarm, as a month leads to them that is over."""
    windows = read_judged(settings, SOURCE, Month.parse(MONTHS[-1]), 3)
    found = Need("queued", "The error is over its threshold.")
    retrainings.started(settings, retrainings.write(settings, found, SOURCE, windows, "2"), "4")
    raise_alarm(settings, Alarm(kind="drift", subject=MONTHS[-1], message="It drifted."))


def end_drill(settings: Settings) -> None:
    """What stays of a drill: its model's history, which ends with nobody, and a run that failed."""
    at = datetime.now(UTC)
    with connect(settings) as connection:
        for former, version in (("", "1"), ("1", "")):
            change = Change(
                alias="champion",
                former=former,
                version=version,
                action="promote",
                by="a drill",
                reason="It is over.",
                at=at,
            )
            append(connection, drilled(settings).model_name, change)
    end_run(settings, 7, {"month": MONTHS[0], "source": DRILL}, error="a column is missing")


def end_run(
    settings: Settings,
    number: int,
    output: dict[str, Any],
    error: str = "",
    pipeline: str = "taxi_duration",
) -> None:
    facts = {
        **output,
        "pipeline_uuid": pipeline,
        "pipeline_run_id": number,
        "pipeline_run": SimpleNamespace(started_at=datetime.now(UTC) - timedelta(minutes=2)),
        "parent_block_uuid": "load_trips",
        "__error": error,
    }
    record_ending(settings, "failed" if error else "completed", facts)


@pytest.fixture(scope="module")
def service(settings: Settings, outputs: list[dict[str, Any]]) -> Iterator[Service]:
    """The service with a challenger in shadow, asked by callers of all kinds."""
    assert settings.database_url
    url = settings.database_url.get_secret_value()
    with serving(settings, TAXI_DATABASE_URL=url, TAXI_SHADOW="true") as service:
        until(lambda: service.get("/ready").status_code == 200)
        until(lambda: "taxi_challenger_info{" in service.get("/metrics").text)
        ask(service)
        known = ask_about_known_trips(settings, service)
        until(lambda: record_truth(settings, outputs[-1])["outcomes"] >= known)
        run_by_the_hour(settings, [4, 5, 6])
        yield service


def ask_about_known_trips(settings: Settings, service: Service) -> int:
    """Ask for trips that the City has published since; returns how many."""
    trips = Lake(Storage.from_settings(settings), SOURCE).read([Month.parse(MONTHS[-1])])
    names = ["trip_id", "trip_start_timestamp", "pickup_community_area", "dropoff_community_area"]
    asked = trips.select(names).slice(0, MANY).to_pylist()
    for trip in asked:
        trip["trip_start_timestamp"] = trip["trip_start_timestamp"].isoformat()
    assert service.predict(asked).status_code == 200
    return len(asked)


def ask(service: Service) -> None:
    for area in range(1, MANY):
        service.predict({"pickup_community_area": area, "dropoff_community_area": 76})
    service.predict([{"pickup_community_area": 8}, {"dropoff_community_area": 32}])
    service.predict([{"trip_id": picture} for picture in PAGE_PICTURES] * MANY)
    assert service.predict({"pickup_community_area": 99}).status_code == 422
    too_large = service.client.post("/predict", content=b" " * 40_000_000)
    assert too_large.status_code == 413


@pytest.fixture(scope="module")
def reader(
    settings: Settings, service: Service, root: Path
) -> Iterator[psycopg2.extensions.connection]:
    """A connection with the rights of the user that `reader.sql` makes for Grafana."""
    assert settings.database_url
    dsn = settings.database_url.get_secret_value().replace("+psycopg2", "")
    script = (root / "monitoring" / "grafana" / "reader.sql").read_text()
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            re.sub(r"^\s*--.*$", "", script, flags=re.MULTILINE).replace(":'password'", "'pass'")
        )
        cursor.execute("SET ROLE taxi_grafana")
    yield connection
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE; DROP OWNED BY taxi_grafana; DROP ROLE taxi_grafana")
    connection.close()


def expanded(text: str) -> str:
    """The query as Grafana sends it: macros written out, variables in their places."""

    def macro(found: re.Match[str]) -> str:
        name, column = found[1], found[2].split(",")[0].strip()
        assert name == "__timeFilter", f"the macro {name} is not known here"
        return f"{column} BETWEEN '2018-01-01T00:00:00Z' AND '2099-01-01T00:00:00Z'"

    text = MACRO.sub(macro, text).replace("$source", SOURCE)
    assert "$" not in text
    return text


def answer(connection: psycopg2.extensions.connection, text: str) -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(expanded(text))
        kinds = {column.name: column.type_code for column in cursor.description or ()}
        assert len(kinds) == len(cursor.description or ()), "two columns have one name"
        return Answer(kinds, [dict(zip(kinds, row, strict=True)) for row in cursor])


def sql_panels(kind: str) -> list[Any]:
    return [
        pytest.param(panel, id=f"{board['title']}: {panel['title']}")
        for board in dashboards()
        for panel in board["panels"]
        if panel["type"] == kind and "rawSql" in panel["targets"][0]
    ]


def prometheus_queries() -> list[Any]:
    found = [
        pytest.param(target["expr"], id=f"{board['title']}: {panel['title']}: {number}")
        for board in dashboards()
        for panel in board["panels"]
        for number, target in enumerate(panel["targets"])
        if "expr" in target
    ]
    alarms = [
        pytest.param(rule.query["expr"], id=rule.name) for rule in rules() if "expr" in rule.query
    ]
    return found + alarms


def check_no_column_is_empty(found: Answer) -> None:
    assert found.rows
    for name in found.kinds:
        assert any(row[name] is not None for row in found.rows), f"{name} is always empty"


@pytest.mark.parametrize("panel", sql_panels("timeseries"))
def test_a_panel_over_time_gets_times_in_their_order_and_numbers(
    reader: psycopg2.extensions.connection, panel: Any
) -> None:
    for target in panel["targets"]:
        found = answer(reader, target["rawSql"])
        check_no_column_is_empty(found)
        assert target["format"] == "time_series"
        assert found.names(TIMES) == ["time"]
        times = [row["time"] for row in found.rows]
        assert times == sorted(times)
        assert found.names(NUMBERS)
        assert set(found.names(TEXTS)) <= {"metric"}
        assert found.kinds.keys() == {*found.names(TIMES | NUMBERS | TEXTS)}
        series = [(row["time"], row.get("metric")) for row in found.rows]
        assert len(series) == len(set(series)), "a series has two values at one time"


def test_what_the_service_s_page_asks_for_its_pictures_is_no_trip_that_is_asked_for(
    reader: psycopg2.extensions.connection,
) -> None:
    (text,) = (
        panel["targets"][0]["rawSql"]
        for board in dashboards()
        for panel in board["panels"]
        if panel["title"] == "Unknown areas by hour"
    )
    found = answer(reader, text).rows
    assert max(row["without pickup"] for row in found) < 0.25


@pytest.mark.parametrize("panel", sql_panels("stat"))
def test_a_panel_of_one_value_gets_one(reader: psycopg2.extensions.connection, panel: Any) -> None:
    found = answer(reader, panel["targets"][0]["rawSql"])
    check_no_column_is_empty(found)
    of_text = panel["options"]["reduceOptions"]["fields"] != ""
    assert len(found.rows) == len(found.kinds) == 1
    assert found.names(TEXTS if of_text else NUMBERS)


@pytest.mark.parametrize("panel", sql_panels("table"))
def test_a_table_gets_the_columns_that_it_writes_in_its_own_way(
    reader: psycopg2.extensions.connection, panel: Any
) -> None:
    found = answer(reader, panel["targets"][0]["rawSql"])
    check_no_column_is_empty(found)
    for override in panel["fieldConfig"]["overrides"]:
        column = override["matcher"]["options"]
        values = [row[column] for row in found.rows if row[column] is not None]
        if override["properties"][0]["id"] == "links":
            assert all(value.startswith("http://") for value in values)
        else:
            assert column in found.names(NUMBERS)


def test_the_variable_offers_the_source_of_the_newest_report(
    reader: psycopg2.extensions.connection,
) -> None:
    for board in dashboards():
        for variable in board["templating"]["list"]:
            assert answer(reader, variable["query"]).rows == [{"source": SOURCE}]


def test_promotions_are_marked_at_the_month_that_decided(
    reader: psycopg2.extensions.connection,
) -> None:
    [mark] = next(board for board in dashboards() if board["annotations"]["list"])["annotations"][
        "list"
    ]
    found = answer(reader, mark["target"]["rawSql"])
    assert list(found.kinds) == ["time", "text", "tags"]
    assert found.rows[0]["time"] == datetime(2019, 3, 1)
    assert "version 1 serves since" in found.rows[0]["text"]


@pytest.mark.parametrize("rule", [rule for rule in rules() if "rawSql" in rule.query],
                         ids=lambda rule: rule.name)  # fmt: skip
def test_a_rule_gets_one_number_for_each_of_its_subjects(
    reader: psycopg2.extensions.connection, rule: Any
) -> None:
    assert "$" not in rule.query["rawSql"], "Grafana takes it for a variable of the environment"
    found = answer(reader, rule.query["rawSql"])
    check_no_column_is_empty(found)
    [value] = found.names(NUMBERS)
    subjects = [tuple(row[name] for name in found.names(TEXTS)) for row in found.rows]
    assert len(subjects) == len(set(subjects))
    assert found.kinds.keys() == {value, *found.names(TEXTS)}


def test_a_run_that_failed_alarms(reader: psycopg2.extensions.connection) -> None:
    failed = next(rule for rule in rules() if rule.name == "run-failed")
    rows = answer(reader, failed.query["rawSql"]).rows
    assert {row["pipeline"]: row["failed"] for row in rows} == {
        "taxi_duration": 1.0,
        "live_monitoring": 0.0,
    }


def test_grafana_can_change_nothing(reader: psycopg2.extensions.connection) -> None:
    with reader.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute("DELETE FROM monitoring.predictions")


@contextmanager
def prometheus_of(service: Service, folder: Path, checked_in: Path) -> Iterator[str]:
    """Prometheus with the configuration that is checked in, but in a hurry."""
    config = yaml.safe_load((checked_in / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    [job] = config["scrape_configs"]
    [targets] = job["file_sd_configs"][0]["files"]
    (folder / targets).write_text(yaml.safe_dump([{"targets": [f"127.0.0.1:{service.port}"]}]))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": address,
    }
    with running(["prometheus", *(f"--{name}={value}" for name, value in options.items())], {}):
        wait_for(f"http://{address}/-/ready")
        yield f"http://{address}"


@pytest.fixture(scope="module")
def prometheus(
    service: Service, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A Prometheus that has seen the service being asked."""
    if not shutil.which("prometheus"):
        pytest.skip("there is no Prometheus here: `apt-get install prometheus` brings it")
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus_of(service, folder, root / "monitoring" / "prometheus") as url:
        for _ in range(2):
            until(lambda: asked(url, "up == 1"))
            ask(service)
            # Rates need two scrapes, before and after.
            time.sleep(2.5)
        yield url


def asked(url: str, expression: str) -> list[Any]:
    answer = httpx.get(f"{url}/api/v1/query", params={"query": expression}).json()
    assert answer["status"] == "success", answer
    found: list[Any] = answer["data"]["result"]
    return found


@pytest.mark.parametrize("expression", prometheus_queries())
def test_prometheus_answers_with_numbers(prometheus: str, expression: str) -> None:
    found = asked(prometheus, expression.replace("$__rate_interval", "10s"))
    assert found, "no series"
    assert all(each["value"][1] not in {"NaN", "+Inf", "-Inf"} for each in found)


def test_a_service_that_answers_alarms_nobody(prometheus: str) -> None:
    compare = {"gt": ">", "lt": "<"}
    for rule in rules():
        if "expr" in rule.query:
            kind, (limit,) = rule.limits
            assert not asked(prometheus, f"({rule.query['expr']}) {compare[kind]} {limit}")


def test_the_first_model_that_is_refused_is_an_increase(prometheus: str) -> None:
    counted = asked(prometheus, "sum by (role) (taxi_model_refusals_total)")
    assert {each["metric"]["role"] for each in counted} == {"champion", "challenger"}


def test_scrapes_and_health_checks_are_not_in_the_share_of_errors(prometheus: str) -> None:
    for rule in rules():
        if rule.name == "service-errors":
            metrics = re.findall(r"taxi_requests_total\{([^}]*)\}", rule.query["expr"])
            assert len(metrics) == rule.query["expr"].count("taxi_requests_total") == 2
            assert all('endpoint="/predict"' in labels for labels in metrics)
    other = 'sum(taxi_requests_total{endpoint!="/predict"})'
    assert asked(prometheus, other), "else there would be nothing to leave out"


def test_the_configuration_is_what_prometheus_calls_one(root: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("there is no promtool here: `apt-get install prometheus` brings it")
    config = root / "monitoring" / "prometheus" / "prometheus.yml"
    checked = subprocess.run(
        ["promtool", "check", "config", config], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
