"""A database as months of pipelines and a day of requests leave it, for the tests of the page.

Everything is written by the functions that write it in earnest.
"""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import msgspec
import numpy as np
from sqlalchemy import Boolean, DateTime, Float, Integer, Table, Uuid, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import ARRAY, Date

from decided import CANDIDATE, decided
from duration_service.prediction_log import PredictionLog
from duration_service.predictions_table import PredictionsTable, postgres_dsn
from duration_service.shipping import Shipper
from duration_service.spool import Spool
from logged import answered
from monitored import figures
from taxi_duration.contract import ModelVersion
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.monitoring.database import connect, migrate
from taxi_duration.monitoring.decisions import record_decision
from taxi_duration.monitoring.figures import CURRENT, REFERENCE, ColumnDrift, Figures
from taxi_duration.monitoring.model_history import append
from taxi_duration.monitoring.recording import record
from taxi_duration.monitoring.reports import DriftReport
from taxi_duration.monitoring.runs import record_run
from taxi_duration.monitoring.tables import metadata
from taxi_duration.registry.versions import Change
from taxi_duration.settings import Settings

MONTHS: Final = tuple(f"2019-{month:02}" for month in range(1, 9))
# No report came of this one.
GAP: Final = "2019-05"
DRIFTED: Final = "2019-08"
COLUMNS: Final = (
    *("pickup_community_area", "dropoff_community_area", "hour", "weekday"),
    *("trip_miles", "trip_minutes", "prediction"),
)


def watch(settings: Settings) -> None:
    """Eight months of reports: one is missing, and the last one drifted."""
    for month in MONTHS:
        if month != GAP:
            report(settings, month)
    _runs(settings)
    _versions(settings)
    now = datetime.now(UTC)
    with connect(settings) as connection:
        for days, former, version in ((70, "", "1"), (40, "1", "2"), (3, "2", "3")):
            change = Change(
                alias="champion",
                former=former,
                version=version,
                action="promote",
                by="pipeline taxi_duration",
                reason=f"Version {version} has a smaller error than what was there.",
                at=now - timedelta(days=days),
                run_id="run",
            )
            append(connection, settings.model_name, change)


def report(settings: Settings, month: str, source: str = "simulated") -> None:
    """A month's report: the figures in all four tables of the drift branch."""
    made = DriftReport(
        html=f"s3://bucket/reports/drift/{source}/{month}/drift.html",
        json=f"s3://bucket/reports/drift/{source}/{month}/drift.json",
        url=f"http://127.0.0.1:5000/#/experiments/1/runs/{month}/artifacts/drift.html",
        figures=month_figures(month, source),
    )
    record(settings, made)


def month_figures(month: str, source: str) -> Figures:
    """The model is worse from month to month; in the last one most columns drifted."""
    n = int(month[-2:])
    drifted = month == DRIFTED
    made = figures()
    performance = {
        REFERENCE: msgspec.structs.replace(made.performance[REFERENCE], mae=3.6),
        CURRENT: msgspec.structs.replace(
            made.performance[CURRENT], mae=3.5 + 0.12 * n, coverage_80=0.82 - 0.012 * n
        ),
    }
    chance = np.random.default_rng(n)
    return msgspec.structs.replace(
        made,
        month=month,
        source=source,
        model_version=str(1 + n // 4),
        made_at=datetime.now(UTC) - timedelta(days=30 * (8 - n), hours=2),
        drift=[
            _drift(name, chance.uniform(0, 0.05) + 0.3 * drifted * (k > 2))
            for k, name in enumerate(COLUMNS)
        ],
        performance=performance,
    )


def ask(settings: Settings, model: DurationModel, champion: ModelVersion, requests: int) -> None:
    """Requests over the last hours, of two trips and one for the page's curve, on the usual way."""
    assert settings.database_url
    spool = Spool(settings.home / "asked", 10**8)
    table = PredictionsTable(postgres_dsn(settings) or "")
    log = PredictionLog(spool, Shipper(spool, table, 60, 90), 60)
    for number in range(requests):
        answer = answered(model, champion, "a", "page-day", "b", number=number)
        hours = 20 * number / requests
        log.log(
            answer._replace(at=time.time() - 3600 * hours, seconds=0.002 + number % 7 / 1000),
            "champion",
        )
    log._write()
    log.shipper.ship()
    log.shipper.end_turn()


def fill(settings: Settings, name: str, **values: Any) -> bool:
    """Add a row to a table whose owner has no function that is easily called; False: no such table.

    What is not given is made up by the column's type.
    """
    table: Table | None = metadata.tables.get(f"monitoring.{name}")
    if table is None:
        return False
    values = {"source": "simulated", **values}
    made = {
        column.name: values.get(column.name, _made_up(column.type))
        for column in table.columns
        if column.identity is None
    }
    with connect(settings) as connection:
        migrate(connection)
        connection.execute(insert(table).values(made))
    return True


def _made_up(kind: Any) -> Any:
    for known, value in (
        (Uuid, uuid4()),
        (Boolean, False),
        (DateTime, datetime.now(UTC)),
        (Date, date(2019, 8, 1)),
        (Integer, 7),
        (Float, 0.5),
        (ARRAY, []),
        (JSONB, {}),
    ):
        if isinstance(kind, known):
            return value
    return "text"


def _runs(settings: Settings) -> None:
    now = datetime.now(UTC)
    for n, month in enumerate(MONTHS):
        ended = now - timedelta(days=30 * (8 - n - 1), hours=1)
        failed = month == GAP
        record_run(
            settings,
            {
                "pipeline": "taxi_duration",
                "run_id": 100 + n,
                "status": "failed" if failed else "completed",
                "month": month,
                "source": "simulated",
                "started": ended - timedelta(minutes=2, seconds=11),
                "ended": ended,
                "error": "load_trips: TooManyBadTripsError: 61% of the rows." if failed else "",
            },
        )


def _versions(settings: Settings) -> None:
    for n, gain in enumerate((0.2, -0.1, 0.1)):
        candidate = msgspec.structs.replace(
            CANDIDATE, parent_run_id=f"run-{n}", month=MONTHS[2 * n]
        )
        decision = decided(candidate=candidate, gain=gain, least_gain=gain - 0.02)
        decision = msgspec.structs.replace(
            decision, version=str(n + 1), decided_at=datetime.now(UTC) - timedelta(days=9 - 3 * n)
        )
        page = f"http://127.0.0.1:5000/#/experiments/1/runs/run-{n}/artifacts/decision.html"
        record_decision(settings, decision, page)


def _drift(name: str, score: float) -> ColumnDrift:
    return ColumnDrift(
        column_name=name, method="wasserstein", score=score, threshold=0.1, drifted=score >= 0.1
    )
