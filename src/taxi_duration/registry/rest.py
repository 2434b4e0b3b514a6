"""The calls to MLflow's server that serving a model needs, over plain HTTP.

MLflow's own client would do as well, but importing it takes seconds and 130 MB of every process;
the service needs three calls of it.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from ssl import SSLContext
from typing import Final, TypeVar

import httpx
import msgspec

from taxi_duration.errors import UNREADABLE, RegistryError, UnknownVersionError
from taxi_duration.settings import Settings

API: Final = "api/2.0/mlflow"
# An alias that does not exist is an invalid parameter to MLflow.
_ABSENT: Final = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}
# Connecting, and every read; a server behind a slow S3 is silent while it fetches a file.
_TIMEOUT: Final = httpx.Timeout(30, connect=5)
_REMEDY: Final = "See whether it runs: `taxi status`."

T = TypeVar("T")


class _Fault(msgspec.Struct):
    error_code: str = ""
    message: str = ""


class MlflowServer:
    """The server that the settings name."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, query: Mapping[str, str], kind: type[T]) -> T:
        """What is at `path`, read as `kind`.

        Raises UnknownVersionError where the server has no such thing, RegistryError where it
        cannot be reached or answers anything else.
        """
        answer = self._http.get(path, params=query)
        _raise_for(answer)
        return msgspec.json.decode(answer.content, type=kind, strict=False)

    def download(self, path: str, query: Mapping[str, str], target: Path) -> None:
        """Write what is at `path` into the file `target`; raises as `get` does.

        MLflow itself may be well then, and its store not: the remedy names both.
        """
        try:
            with self._http.stream("GET", path, params=query) as answer:
                if not answer.is_success:
                    answer.read()
                _raise_for(answer)
                with target.open("wb") as file:
                    for chunk in answer.iter_bytes():
                        file.write(chunk)
        except UnknownVersionError:
            raise
        except (RegistryError, httpx.HTTPError) as error:
            raise RegistryError(
                f"{target.name} did not come: {_said(error)}",
                "It fetches files from its store: see whether both, MLflow and S3, run:"
                " `taxi status`.",
            ) from error


@contextmanager
def mlflow_server(settings: Settings) -> Iterator[MlflowServer]:
    """The settings' server; whatever goes wrong with it is a RegistryError that names it."""
    url = httpx.URL(settings.mlflow_url)
    failed = f"The registry at {url.copy_with(userinfo=b'')} failed:"
    try:
        with httpx.Client(
            base_url=url,
            timeout=_TIMEOUT,
            auth=_auth(settings),
            verify=_certificates() if url.scheme == "https" else False,
            follow_redirects=True,
        ) as http:
            yield MlflowServer(http)
    except UnknownVersionError as error:
        raise UnknownVersionError(
            f"{failed} {_said(error)}.", "`taxi model list` lists those it has."
        ) from error
    except RegistryError as error:
        raise RegistryError(f"{failed} {_said(error)}.", error.remedy or _REMEDY) from error
    except (httpx.HTTPError, *UNREADABLE) as error:
        raise RegistryError(f"{failed} {_said(error)}.", _REMEDY) from error


@lru_cache(maxsize=1)
def _certificates() -> SSLContext:
    """Read once: it takes longer than a call does, and all of the process waits meanwhile."""
    return httpx.create_ssl_context()


def _auth(settings: Settings) -> httpx.Auth | None:
    """The sign-in of MLflow's own variables where they are set, else the settings'."""
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return _Bearer(token)
    name = os.environ.get("MLFLOW_TRACKING_USERNAME")
    if name:
        return httpx.BasicAuth(name, os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
    if not settings.mlflow_username:
        return None
    password = settings.mlflow_password
    return httpx.BasicAuth(
        settings.mlflow_username, password.get_secret_value() if password else ""
    )


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> "Iterator[httpx.Request]":  # type: ignore[override]
        request.headers["Authorization"] = self._header
        yield request


def _said(error: Exception) -> str:
    """What an error says, in one line and without a full stop; its kind where it says nothing."""
    cause = error.cause if isinstance(error, RegistryError) else str(error)
    return " ".join(cause.split()).rstrip(".") or type(error).__name__


def _raise_for(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    try:
        fault = msgspec.json.decode(answer.content, type=_Fault)
    except UNREADABLE:
        fault = _Fault()
    said = f"{answer.status_code} {answer.reason_phrase} {fault.message}".strip()
    if fault.error_code in _ABSENT:
        raise UnknownVersionError(said)
    raise RegistryError(said)
