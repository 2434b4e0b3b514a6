"""The MLflow client, with errors that name the server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mlflow import MlflowClient
from mlflow.environment_variables import (
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR,
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    MLFLOW_HTTP_REQUEST_TIMEOUT,
    MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT,
    MLFLOW_TRACKING_PASSWORD,
    MLFLOW_TRACKING_USERNAME,
)
from mlflow.exceptions import MlflowException
from requests import RequestException

from taxi_duration.errors import RegistryError, StorageError
from taxi_duration.settings import Settings
from taxi_duration.storage import Storage

# MLflow takes these from the environment alone, and its own defaults try for minutes.
_DEFAULTS: Final = {
    MLFLOW_HTTP_REQUEST_MAX_RETRIES: 2,
    MLFLOW_HTTP_REQUEST_TIMEOUT: 30,
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: False,
    MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT: True,
}
# In the address of each call by which MLflow's server passes on what lies in S3.
_ARTIFACTS: Final = "/mlflow-artifacts/"


def client(settings: Settings) -> MlflowClient:
    """A client of the server that the settings name, signed in where they say as whom."""
    prepare(settings)
    return MlflowClient(tracking_uri=settings.mlflow_url, registry_uri=settings.mlflow_url)


def prepare(settings: Settings) -> None:
    """Have all of MLflow's functions in this process sign in, and give up within a minute or two.

    They take both from the environment alone; what is set there already stays.
    """
    for variable, value in _DEFAULTS.items():
        if not variable.is_set():
            variable.set(value)
    name, password = settings.mlflow_username, settings.mlflow_password
    if name and not MLFLOW_TRACKING_USERNAME.is_set():
        MLFLOW_TRACKING_USERNAME.set(name)
        MLFLOW_TRACKING_PASSWORD.set(password.get_secret_value() if password else "")


@contextmanager
def registry_errors(settings: Settings) -> Iterator[None]:
    """Raise what MLflow raises as RegistryError, with the server and what it said.

    Where an artifact cannot be had and S3 does not answer either, it says so.
    """
    try:
        yield
    # Artifacts that cannot be had raise what requests raises.
    except (MlflowException, RequestException) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise RegistryError(
            f"The registry at {settings.mlflow_url} failed: {said}.", _remedy(settings, said)
        ) from error


def _remedy(settings: Settings, said: str) -> str:
    """What to do; S3 is asked where it may be the cause, for MLflow only says that it failed."""
    if _ARTIFACTS in said:
        try:
            Storage.from_settings(settings).check_bucket()
        except StorageError as error:
            return f"Where it keeps its artifacts in this project's bucket, that is why: {error}"
    return "See whether it runs: `taxi status`."
