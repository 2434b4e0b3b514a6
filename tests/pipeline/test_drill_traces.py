"""What a drill leaves, and that its removal touches nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from monitored import figures, with_own_bucket, with_own_database
from registered import own_model, registered
from taxi_duration.monitoring.alarms import Alarm, raise_alarm
from taxi_duration.monitoring.recording import record
from taxi_duration.monitoring.reports import DriftReport
from taxi_duration.monitoring.runs import record_run
from taxi_duration.pipeline.drill_traces import differences, remove_drill, traces
from taxi_duration.pipeline.drilling import drilled, is_drill, settings_of
from taxi_duration.pipeline.promotion import history, promote
from taxi_duration.registry.champion import champion
from taxi_duration.settings import Settings, load_settings
from taxi_duration.storage import Storage


def test_a_drill_has_a_model_and_experiments_of_its_own() -> None:
    settings = load_settings()
    for facts in ({"source": "drill"}, {"drill": True}, {"drill": "true"}):
        own = settings_of(settings, facts)
        assert own.model_name == f"{settings.model_name}-drill"
        assert own.mlflow_experiment == f"{settings.mlflow_experiment}-drill"
    others: list[dict[str, Any]] = [{}, {"source": "files"}, {"drill": ""}, {"drill": False}]
    for other in [*others, {"drill": []}]:
        assert settings_of(settings, other) == settings
        assert not is_drill(other)


@pytest.fixture
def settings(backends: Settings) -> Iterator[Settings]:
    with with_own_database(with_own_bucket(own_model(backends))) as settings:
        yield settings


def act(settings: Settings, source: str) -> None:
    """What runs leave: objects, figures, an alarm, a run, and a model that serves."""
    storage = Storage.from_settings(settings)
    for key in (f"raw/{source}/2019-03.parquet", f"lake/{source}/trips/part.parquet"):
        storage.client.put_object(Bucket=storage.bucket, Key=key, Body=source.encode())
    record(settings, DriftReport("s3://b/h", "s3://b/j", "http://mlflow/", figures(source=source)))
    alarm = Alarm(kind="drift", subject=source, message="It drifted.", drill=source == "drill")
    raise_alarm(settings, alarm)
    run = {"pipeline": "taxi_duration", "run_id": source, "status": "completed", "source": source}
    record_run(settings, run)
    own = settings_of(settings, {"source": source})
    promote(own, registered(own, source).version, "a test", "It is there to serve.")


@pytest.mark.stack
def test_after_a_drill_is_removed_everything_is_as_before(settings: Settings) -> None:
    act(settings, "simulated")
    before = traces(settings)
    assert {"table drift_months", "alias champion"} <= set(before)
    assert "object raw/simulated/2019-03.parquet" in before
    act(settings, "drill")
    assert differences(before, traces(settings)) == []
    assert champion(drilled(settings))
    remove_drill(settings)
    remove_drill(settings)
    assert differences(before, traces(settings)) == []
    assert champion(drilled(settings)) is None
    storage = Storage.from_settings(settings)
    found = storage.client.list_objects_v2(Bucket=storage.bucket)["Contents"]
    assert not [item["Key"] for item in found if "/drill/" in item["Key"]]


@pytest.mark.stack
def test_the_history_tells_of_the_drill_s_model_from_beginning_to_end(settings: Settings) -> None:
    act(settings, "drill")
    remove_drill(settings)
    told = [(each.version, each.action) for each in history(drilled(settings))]
    assert told[0][1] == "promote"
    assert told[-1] == ("", "drill over")
    assert "changed outside" not in {action for _, action in told}
    assert history(settings) == []


@pytest.mark.stack
@pytest.mark.parametrize("harm", ["object", "table", "alias"])
def test_what_is_not_as_before_is_named(settings: Settings, harm: str) -> None:
    act(settings, "simulated")
    before = traces(settings)
    if harm == "object":
        storage = Storage.from_settings(settings)
        key = "lake/simulated/trips/part.parquet"
        storage.client.put_object(Bucket=storage.bucket, Key=key, Body=b"other")
        expected = [f"object {key}"]
    elif harm == "table":
        record_run(settings, {"pipeline": "p", "run_id": "9", "status": "failed"})
        expected = ["table pipeline_runs"]
    else:
        promote(settings, registered(settings).version, "a test", "Another one.")
        expected = ["alias champion", "table model_history"]
    assert differences(before, traces(settings)) == expected
