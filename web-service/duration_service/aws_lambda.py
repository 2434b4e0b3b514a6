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
    application = _without_stage(create_app(settings, models, observations).wsgi_app)
    handle = make_lambda_handler(
        application, binary_support=True, non_binary_content_type_prefixes=TEXT
    )
    return handle, observations


def _without_stage(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application below a stage: HTTP APIs leave the stage's name in the path."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        stage = (environ.get("apig_wsgi.request_context") or {}).get("stage")
        path = environ["PATH_INFO"]
        if stage and path.partition("/")[0] == "" and path.split("/")[1] == stage:
            environ["SCRIPT_NAME"] = f"/{stage}"
            environ["PATH_INFO"] = path.removeprefix(f"/{stage}") or "/"
        return application(environ, start_response)

    return call


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    # While a function starts it has a whole core, which is not charged to the first caller.
    _service()
