"""`GET /openapi.json`: the service in OpenAPI 3.1, made of the types that it uses itself."""

from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import msgspec
from flask import Blueprint, Flask, Response, current_app, request

from duration_service.operations import (
    EVERYWHERE,
    EXAMPLES,
    OPERATIONS,
    PROBLEMS,
    WITH_RETRY_AFTER,
    Operation,
)
from taxi_duration.contract import Problem, custom_schema

DOCUMENT: Final = "OPENAPI_DOCUMENT"
JSON: Final = "application/json"
PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER: Final = {
    "Retry-After": {
        "description": "Seconds after which to ask again.",
        "schema": {"type": "integer", "minimum": 0},
    }
}

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description of this application, at the address that the caller knows it by."""
    # Below an API's stage a bare "/" would be another server. Tools stumble over "./".
    described = current_app.config[DOCUMENT] | {"servers": [{"url": f"{request.script_root}/"}]}
    return Response(msgspec.json.encode(described), mimetype=JSON)


def describe(app: Flask) -> None:
    """Make the description of `app`, whose routes are complete, and keep it to be handed out."""
    app.config[DOCUMENT] = document(app, app.config["MOST_TRIPS"])


def document(app: Flask, most_trips: int) -> dict[str, Any]:
    """The description of what `app` answers; a list may have `most_trips`."""
    schemas = _Schemas()
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), operation in OPERATIONS.items():
        if path in rules:
            paths.setdefault(path, {})[method] = _operation(operation, schemas)
    _limit(paths["/predict"]["post"], most_trips)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "How long a Chicago taxi trip takes",
            "version": version("taxi-duration"),
            "description": "Durations are minutes, places are Chicago's 77 community areas.",
        },
        "paths": paths,
        "components": {"schemas": schemas.components, "responses": _problem_answers(schemas)},
    }


class _Schemas:
    """The schemas of the contract's types, and the components that they refer to."""

    def __init__(self) -> None:
        kinds = [one for o in OPERATIONS.values() for one in (o.answer, o.takes)]
        self._kinds = [kind for kind in kinds if kind and not isinstance(kind, str)] + [Problem]
        self._schemas, self.components = msgspec.json.schema_components(
            self._kinds, schema_hook=custom_schema, ref_template="#/components/schemas/{name}"
        )

    def __getitem__(self, kind: Any) -> dict[str, Any]:
        return self._schemas[self._kinds.index(kind)]


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    answers = {"200": _answer(operation, schemas)}
    if operation.unready:
        answers["503"] = {**answers["200"], "description": PROBLEMS[503], "headers": RETRY_AFTER}
    for status in sorted({*EVERYWHERE, *operation.problems}):
        answers[str(status)] = {"$ref": f"#/components/responses/{_name(status)}"}
    described: dict[str, Any] = {
        "summary": operation.summary,
        "description": operation.description,
        "responses": answers,
    }
    if operation.takes:
        content = {JSON: {"schema": schemas[operation.takes], "examples": EXAMPLES}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _answer(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    if isinstance(operation.answer, str):
        content = {operation.answer: {"schema": {"type": "string"}}}
    else:
        content = {JSON: {"schema": schemas[operation.answer]}}
    return {"description": operation.summary, "content": content}


def _problem_answers(schemas: _Schemas) -> dict[str, Any]:
    content = {PROBLEM_JSON: {"schema": schemas[Problem]}}
    return {
        _name(status): {"description": meaning, "content": content}
        | ({"headers": RETRY_AFTER} if status in WITH_RETRY_AFTER else {})
        for status, meaning in PROBLEMS.items()
    }


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _limit(predict: dict[str, Any], most_trips: int) -> None:
    """How long a list may be is a setting, which no type knows."""
    lists = predict["requestBody"]["content"][JSON]["schema"]["anyOf"]
    (one,) = [schema for schema in lists if schema.get("type") == "array"]
    one.update(minItems=1, maxItems=most_trips)
