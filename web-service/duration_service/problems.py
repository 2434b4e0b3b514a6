"""Every answer that is not a success, as `application/problem+json` (RFC 9457)."""

import logging
from http import HTTPStatus
from uuid import uuid4

import msgspec
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)

from taxi_duration.contract import FieldProblem, Problem
from taxi_duration.errors import NoModelError

log = logging.getLogger(__name__)


class ProblemError(Exception):
    """Raised where a request cannot be answered; becomes the problem that the caller gets."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[FieldProblem] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.headers = headers or {}


def problem_response(error: ProblemError, instance: str | None = None) -> Response:
    """The answer that `error` becomes."""
    problem = Problem(
        type="about:blank",
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=error.detail,
        instance=instance,
        errors=tuple(error.errors),
    )
    return Response(
        msgspec.json.encode(problem),
        status=error.status,
        headers=error.headers,
        content_type="application/problem+json",
    )


def register_problems(app: Flask) -> None:
    """Make every error of `app` a problem."""
    app.register_error_handler(ProblemError, problem_response)
    app.register_error_handler(NoModelError, _from_no_model)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, _from_fault)


def _from_no_model(error: NoModelError) -> Response:
    headers = {"Retry-After": current_app.config["RETRY_AFTER"]}
    return problem_response(ProblemError(503, str(error), headers=headers))


def _from_http(error: HTTPException) -> Response:
    """A refusal of Flask's own: no such page, wrong method, too large."""
    answer = problem_response(ProblemError(error.code or 500, _detail(error)))
    answer.headers.extend(
        [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    )
    return answer


def _detail(error: HTTPException) -> str:
    if isinstance(error, NotFound):
        known = sorted({r.rule for r in current_app.url_map.iter_rules() if not r.arguments})
        return f"Nothing is at {request.path}. There are {', '.join(known)}."
    if isinstance(error, MethodNotAllowed):
        allowed = " or ".join(sorted({*(error.valid_methods or ())} - {"HEAD", "OPTIONS"}))
        return f"{request.method} is not answered at {request.path}; use {allowed}."
    if isinstance(error, RequestEntityTooLarge):
        return (
            f"The body is larger than {current_app.config['MAX_CONTENT_LENGTH']:,} bytes."
            " Split the list into several requests."
        )
    if isinstance(error, ClientDisconnected):
        return "The body ended before its end, or its chunks cannot be read. Send it again."
    return error.description or error.name


def _from_fault(error: Exception) -> Response:
    """A fault of the service: the log gets all of it, the caller only where to find it there."""
    instance = uuid4().urn
    log.error("%s %s failed, %s", request.method, request.path, instance, exc_info=error)
    detail = "The service failed at this request. Its log has the cause under this instance."
    return problem_response(ProblemError(500, detail), instance)
