"""The outage drill: all that is behind the service stops, and comes back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logged import logged_ids
from taxi_duration.monitoring.database import upgrade
from taxi_duration.settings import Settings
from taxi_duration.stack.ports import is_free
from taxi_duration.stack.stack import BACKENDS, Stack
from web_service.test_prediction_log import names, predict
from web_service.test_process import Registered, serving, until

pytestmark = pytest.mark.stack


@pytest.fixture
def behind(
    tmp_path_factory: pytest.TempPathFactory, stack_settings: Callable[[Path], Settings]
) -> Iterator[Stack]:
    """A Postgres, an S3 server and an MLflow server that only this test uses, and stops."""
    stack = Stack(stack_settings(tmp_path_factory.mktemp("behind")), BACKENDS)
    stack.up()
    yield stack
    stack.down()


def test_with_mlflow_s3_and_postgres_stopped_a_restarted_service_answers_and_loses_nothing(
    behind: Stack, tmp_path: Path, trained: Path
) -> None:
    settings = behind.settings.model_copy(update={"home": tmp_path, "model_name": "outage"})
    assert settings.database_url
    database = settings.database_url.get_secret_value()
    upgrade(settings)
    registered = Registered(settings, trained)
    version = registered.register()
    registered.promote(version)

    with serving(settings, TAXI_DATABASE_URL=database) as service:
        service.until_each_worker_logs(f"model {version} answers")
        for trip_id in (before := names("before", 100)):
            predict(service, trip_id)
        until(lambda: len(logged_ids(settings)) == len(before))
        behind.down()
        ports = (settings.mlflow_port, settings.s3_port, settings.postgres_port)
        assert all(is_free(port, "127.0.0.1") for port in ports)
        for trip_id in (during := names("during", 200)):
            predict(service, trip_id)
        predict(service, *(together := names("list", 1_000)))

    with serving(settings, TAXI_DATABASE_URL=database) as restarted:
        for trip_id in (afresh := names("restarted", 200)):
            predict(restarted, trip_id)
        assert restarted.versions() == {version}
        until(lambda: restarted.get("/ready").json()["prediction_log"] is not None)
        until(lambda: restarted.get("/ready").json()["registry"]["answers"] is False)
        ready = restarted.get("/ready").json()
        assert (ready["ready"], ready["loaded_from"]) == (True, "disk")
        assert not ready["prediction_log"]["database_answers"]
        behind.up()
        for trip_id in (after := names("after", 100)):
            predict(restarted, trip_id)
        until(lambda: restarted.get("/ready").json()["registry"]["answers"])
        until(lambda: restarted.get("/ready").json()["prediction_log"]["database_answers"])
        until(lambda: "after-99" in logged_ids(settings))

    expected = [*before, *during, *together, *afresh, *after]
    # What has no id was asked for the sake of the answer's version.
    logged = [trip_id for trip_id in logged_ids(settings) if trip_id]
    assert len(expected) == 1_600
    assert sorted(logged) == sorted(expected)
