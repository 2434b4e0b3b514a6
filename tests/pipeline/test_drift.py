from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlalchemy import select, update

from monitored import scored_trips, with_own_bucket, with_own_database
from registered import damaged, logged
from taxi_duration.errors import NoTripsError, RegistryError
from taxi_duration.model.dataset import Sample, target_minutes, trip_features
from taxi_duration.model.duration_model import ModelInfo
from taxi_duration.model.features import FEATURES
from taxi_duration.model.training import PARAMETERS, fit
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.figures import FLOOR
from taxi_duration.monitoring.reports import read_report
from taxi_duration.monitoring.tables import drift_months, performance
from taxi_duration.pipeline.drift import drift_report, export_report, record_drift, score_trips
from taxi_duration.registry.package import log_model
from taxi_duration.registry.runs import Runs
from taxi_duration.registry.versions import Challenger, register
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage
from taxi_duration.trips.clean import QUARANTINE_SCHEMA, CleanMonth
from taxi_duration.trips.lake import Lake
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import TRIP_SCHEMA
from trips_factory import model_for_other_features

pytestmark = pytest.mark.stack

HISTORY = ["2019-01", "2019-02"]
MONTH = "2019-03"
ROWS = 1_500


@pytest.fixture(scope="module")
def settings(backends: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A lake with three months of trips, the last one slow; and all that a run writes to."""
    own = {
        "home": tmp_path_factory.mktemp("home"),
        "model_name": uuid4().hex,
        "mlflow_experiment": uuid4().hex,
        "report_sample": 1_000,
    }
    with with_own_database(with_own_bucket(backends.model_copy(update=own))) as settings:
        lake = Lake(Storage.from_settings(settings), "simulated")
        for seed, month in enumerate([*HISTORY, MONTH]):
            lake.replace_month(Month.parse(month), clean_month(month, seed))
        yield settings


@pytest.fixture(scope="module")
def cleaned(settings: Settings) -> dict[str, Any]:
    """What `clean_trips` hands on."""
    lake = Lake(Storage.from_settings(settings), "simulated")
    return {
        "source": "simulated",
        "month": MONTH,
        "history": HISTORY,
        "asked": 0,
        "seed": 42,
        "champion": "",
        "lake": {"uri": lake.uri, "version": lake.version()},
        "trips": dict.fromkeys([*HISTORY, MONTH], ROWS),
    }


@pytest.fixture(scope="module")
def recorded(settings: Settings, cleaned: dict[str, Any]) -> dict[str, Any]:
    """What the whole branch hands on where there is no champion yet."""
    return branch(settings, cleaned)


@pytest.fixture(scope="module")
def version(settings: Settings, cleaned: dict[str, Any]) -> str:
    """A registered model that was trained on February alone."""
    return learned(settings, cleaned, "2019-02")


def learned(settings: Settings, cleaned: dict[str, Any], *months: str) -> str:
    """A registered model of February's trips that calls these its months."""
    runs = Runs.connect(settings)
    run_id = runs.start("drift test", {})
    trips = Lake(Storage.from_settings(settings), "simulated").read([Month.parse("2019-02")])
    sample = Sample(trip_features(trips), target_minutes(trips))
    model_id = log_model(runs, run_id, "model", fit(sample, sample, info(cleaned)))
    challenger = Challenger(model_id, run_id, "simulated", [*months], {"mae": 3.0}, 4.0)
    return register(settings, challenger).version


def info(cleaned: dict[str, Any]) -> ModelInfo:
    return ModelInfo(
        features=FEATURES,
        source="simulated",
        months=("2019-02",),
        lake_uri=cleaned["lake"]["uri"],
        lake_version=cleaned["lake"]["version"],
        train_trips=ROWS,
        calibration_trips=ROWS,
        seed=1,
        parameters={**PARAMETERS, "rounds": 5},
        created_at=datetime.now(UTC),
        min_minutes=1,
        max_minutes=60,
    )


def clean_month(month: str, seed: int) -> CleanMonth:
    """A month of trips; from March on they take half as long again."""
    made = scored_trips(ROWS, month=month, seed=seed)
    pace = 1.5 if month >= MONTH else 1.0
    columns = {field.name: pa.nulls(ROWS, field.type) for field in TRIP_SCHEMA}
    columns |= {name: made[name] for name in made.column_names if name in columns}
    columns["trip_id"] = pa.array([f"{month}-{n}" for n in range(ROWS)])
    columns["trip_seconds"] = pc.multiply(made["trip_seconds"], pace)
    trips = pa.table(columns, schema=TRIP_SCHEMA)
    return CleanMonth(Month.parse(month), trips, QUARANTINE_SCHEMA.empty_table(), {})


def branch(settings: Settings, cleaned: dict[str, Any]) -> dict[str, Any]:
    reported = drift_report(settings, score_trips(settings, cleaned))
    return record_drift(settings, export_report(settings, reported))


def test_without_a_champion_the_floor_of_the_history_scores_and_all_say_so(
    settings: Settings, recorded: dict[str, Any]
) -> None:
    assert recorded["model_version"] == FLOOR
    assert recorded["reference_months"] == HISTORY
    report = read_report(settings, "simulated", MONTH)
    assert report.figures.model_version == FLOOR
    assert report.figures.reference_months == HISTORY
    assert report.figures.performance["current"].coverage_80 is None
    with connect(settings) as connection:
        versions = connection.execute(select(performance.c.model_version)).scalars()
        assert set(versions) >= {FLOOR}


def test_slower_trips_are_found_and_counted_over_all_of_them(
    settings: Settings, recorded: dict[str, Any]
) -> None:
    drifted = recorded["figures"]["drifted_columns"]
    assert drifted[0] == "trip_minutes"
    assert recorded["drifted_share"] == pytest.approx(len(drifted) / 7)
    assert recorded["drifted"] is False
    assert recorded["figures"]["mae"] > recorded["figures"]["reference_mae"]
    figures = read_report(settings, "simulated", MONTH).figures
    assert figures.performance["current"].trips == ROWS
    # Where there is no model, the floor is what predicts.
    assert figures.performance["current"].floor_mae == figures.performance["current"].mae
    assert figures.performance["reference"].trips == 2 * ROWS
    assert figures.sampled_trips == {"reference": 1_000, "current": 1_000}
    assert figures.quality["reference"][0].trips == 2 * ROWS


def test_the_report_is_in_s3_in_mlflow_and_in_postgres(
    settings: Settings, recorded: dict[str, Any]
) -> None:
    exported = recorded["exported"]
    place = f"s3://{settings.s3_bucket}/reports/drift/simulated/{MONTH}"
    assert exported["html"] == f"{place}/drift.html"
    run_id = exported["url"].split("/runs/")[1].split("/")[0]
    shown = httpx.get(
        f"{settings.mlflow_url}/get-artifact",
        params={"path": "drift.html", "run_uuid": run_id},
    )
    storage = Storage.from_settings(settings)
    stored = storage.client.get_object(Bucket=storage.bucket, Key=storage.key(exported["html"]))
    assert shown.content == stored["Body"].read()
    assert f"<title>Taxi drift {MONTH} (simulated)</title>" in shown.text
    with connect(settings) as connection:
        (url,) = connection.execute(select(drift_months.c.report_url)).scalars()
    assert url == exported["url"]
    segments = read_report(settings, "simulated", MONTH).figures.segments
    assert recorded["recorded"] == 1 + 7 + 14 + 2 + len(segments)


def test_nothing_is_left_in_the_working_folder(
    settings: Settings, recorded: dict[str, Any]
) -> None:
    assert not Path(recorded["report"]["html"]).exists()
    assert list((settings.home / "work").iterdir()) == []


def test_only_plain_values_travel(recorded: dict[str, Any]) -> None:
    def kinds(value: Any) -> set[type]:
        if isinstance(value, dict):
            return set().union(*map(kinds, value.values()), map(type, value))
        return set().union(*map(kinds, value)) if isinstance(value, list) else {type(value)}

    assert kinds(recorded) <= {str, int, float, bool}


def test_the_champion_scores_and_its_months_are_the_reference(
    settings: Settings, cleaned: dict[str, Any], recorded: dict[str, Any], version: str
) -> None:
    again = branch(settings, {**cleaned, "champion": version})
    assert again["model_version"] == version
    assert again["reference_months"] == ["2019-02"]
    figures = read_report(settings, "simulated", MONTH).figures
    assert figures.performance["reference"].trips == ROWS
    coverage = figures.performance["reference"].coverage_80
    assert coverage
    assert 0.7 < coverage < 0.9
    with connect(settings) as connection:
        (found,) = connection.execute(select(drift_months.c.model_version)).scalars()
    assert found == version


def test_a_champion_that_has_learned_the_month_is_not_judged_by_it(
    settings: Settings, cleaned: dict[str, Any], recorded: dict[str, Any], version: str
) -> None:
    february = {**cleaned, "month": "2019-02", "history": ["2019-01"], "champion": version}
    scored = score_trips(settings, february)
    assert (scored["model_version"], scored["reference_months"]) == (FLOOR, ["2019-01"])


def test_a_month_that_the_champion_has_learned_keeps_the_version_that_was_judged_by_it(
    settings: Settings, cleaned: dict[str, Any], recorded: dict[str, Any], version: str
) -> None:
    again = {**cleaned, "champion": learned(settings, cleaned, "2019-02", MONTH)}
    with connect(settings) as connection:
        connection.execute(update(drift_months).values(model_version=version))
    scored = score_trips(settings, again)
    assert (scored["model_version"], scored["reference_months"]) == (version, ["2019-02"])
    with connect(settings) as connection:
        connection.execute(update(drift_months).values(model_version="99"))
    assert score_trips(settings, again)["model_version"] == FLOOR


def test_a_champion_of_another_source_does_not_score(
    settings: Settings, cleaned: dict[str, Any], version: str
) -> None:
    lake = Lake(Storage.from_settings(settings), "files")
    for seed, month in enumerate([*HISTORY, MONTH]):
        lake.replace_month(Month.parse(month), clean_month(month, seed))
    of_files = {"source": "files", "lake": {"uri": lake.uri, "version": lake.version()}}
    scored = score_trips(settings, {**cleaned, **of_files, "champion": version})
    assert scored["model_version"] == FLOOR
    assert scored["reference_months"] == HISTORY


def test_a_champion_for_other_features_does_not_score(
    settings: Settings, cleaned: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    former = register(settings, logged(settings, model_for_other_features())).version
    scored = score_trips(settings, {**cleaned, "champion": former})
    assert (scored["model_version"], scored["reference_months"]) == (FLOOR, HISTORY)
    assert "expects other features" in caplog.text


def test_a_champion_whose_files_are_damaged_does_not_score(
    settings: Settings, cleaned: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    champion = damaged(settings, tmp_path).version
    scored = score_trips(settings, {**cleaned, "champion": champion})
    assert (scored["model_version"], scored["reference_months"]) == (FLOOR, HISTORY)
    assert "prediction.txt is not the file that was saved" in caplog.text


def test_a_month_of_the_reference_that_is_not_in_the_lake_is_named(
    settings: Settings, cleaned: dict[str, Any]
) -> None:
    with pytest.raises(NoTripsError, match=r"reference of 2019-03 .* no trips of 2018-12"):
        score_trips(settings, {**cleaned, "history": ["2018-12", "2019-01"]})


def test_a_champion_that_is_not_registered_is_refused(
    settings: Settings, cleaned: dict[str, Any]
) -> None:
    with pytest.raises(RegistryError, match="99"):
        score_trips(settings, {**cleaned, "champion": "99"})


def test_a_report_that_was_published_and_recorded_can_be_so_again(
    settings: Settings, recorded: dict[str, Any]
) -> None:
    reported = drift_report(settings, recorded)
    export_report(settings, reported)
    exported = export_report(settings, reported)
    first = record_drift(settings, exported)
    assert record_drift(settings, exported) == first
    assert first["recorded"] == recorded["recorded"]
    assert not Path(reported["report"]["html"]).exists()
