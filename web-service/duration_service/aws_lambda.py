"""The service as an AWS Lambda function: `duration_service.aws_lambda.lambda_handler`.

Lambda stops a process between two invocations, threads and all, and ends it without a word. So
nothing runs beside the requests here: the model is the one of TAXI_MODEL_FOLDER, which `taxi
deploy lambda` changes, and predictions are not logged. What a thread counts elsewhere is counted
after each answer.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

from apig_wsgi import make_lambda_handler

from duration_service.app import create_app
from duration_service.fixed import fixed_model
from duration_service.metrics import RequestMetrics
from duration_service.observations import Observations
from taxi_duration.errors import SettingsError
from taxi_duration.settings import load_settings

Event = dict[str, Any]
# Everything else (a picture) goes in base64, which API Gateway decodes for its binary types.
TEXT: Final = (
    "text/",
    "application/json",
    "application/javascript",
    "application/openapi",
    "application/problem+json",
    "image/svg+xml",
)


def lambda_handler(event: Event, context: object) -> Event:
    """The answer to a proxy event of API Gateway (1.0, 2.0), a load balancer or a function URL."""
    handle, observations = _service()
    try:
        return handle(event, context)
    finally:
        observations.hand_on()


@cache
def _service() -> tuple[Callable[[Event, object], Event], Observations]:
    settings = load_settings()
    if settings.model_folder is None:
        raise SettingsError(
            "TAXI_MODEL_FOLDER is not set.",
            "`taxi deploy lambda` brings the function a model.",
        )
    observations = Observations([RequestMetrics()])
    models = fixed_model(settings, settings.model_folder)
    application = _below_stage(create_app(settings, models, observations).wsgi_app)
    handle = make_lambda_handler(
        application, binary_support=True, non_binary_content_type_prefixes=TEXT
    )
    return handle, observations


def _below_stage(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application, told in SCRIPT_NAME below which path the callers find it."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        event, path = environ["apig_wsgi.full_event"], environ["PATH_INFO"] or "/"
        context = event.get("requestContext") or {}
        # What an HTTP API sends has a version, also in the form of REST APIs' events.
        if "version" in event:
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = _parted(path, context.get("stage"))
        else:
            environ["SCRIPT_NAME"] = _before(path, context.get("path") or path)
            environ["PATH_INFO"] = path
        return application(environ, start_response)

    return call


def _parted(path: str, stage: str | None) -> tuple[str, str]:
    """The stage, which HTTP APIs leave in the path, and the path below it."""
    if stage and f"{path}/".startswith(f"/{stage}/"):
        return f"/{stage}", path.removeprefix(f"/{stage}") or "/"
    return "", path


def _before(path: str, asked: str) -> str:
    """What a REST API took off the path that was `asked` for: its stage."""
    asked = unquote(asked, encoding="iso-8859-1")
    if path == "/":
        return asked.rstrip("/")
    return asked.removesuffix(path) if asked.endswith(path) else ""


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    # While a function starts it has a whole core, which is not charged to the first caller.
    _service()
