from pathlib import Path

from taxi_duration.settings import load_settings
from taxi_duration.stack.resolved import Secrets, resolve
from taxi_duration.stack.servers import service


def test_the_service_is_told_where_to_log_its_predictions(tmp_path: Path) -> None:
    secrets = Secrets("0" * 64)
    settings = resolve(load_settings(home=tmp_path, postgres_port=15_433), secrets)
    environment = service(settings, secrets).environment
    assert "@127.0.0.1:15433/taxi" in environment["TAXI_DATABASE_URL"]
    assert environment["TAXI_HOME"] == str(tmp_path)
