"""The stand-in as a WSGI application: SODA 2.1 and SODA 3 of both of the City's data sets."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from taxi_duration.errors import SoqlError
from taxi_duration.simulation.answers import DATASETS, answer, types
from taxi_duration.simulation.columns import COLUMNS
from taxi_duration.simulation.failures import Failure, Failures, Kind
from taxi_duration.simulation.formats import to_csv, to_json
from taxi_duration.simulation.query import Query
from taxi_duration.simulation.requests import query_of_body, query_of_parameters
from taxi_duration.simulation.source import ORIGIN_HEADER, SOURCE_HEADER, TripSource

JSON_TYPE, CSV_TYPE = "application/json;charset=utf-8", "text/csv;charset=utf-8"


def create_app(
    source: TripSource, failures: Sequence[Failure] = (), slow_seconds: float = 10
) -> Flask:
    """The City's API over the trips of `source`; a slow answer waits for `slow_seconds`."""
    app = Flask(__name__)
    app.register_blueprint(soda(source))
    fails = Failures(failures)

    @app.before_request
    def fail() -> Response | None:
        kind = None if request.path == "/health" else fails.next()
        g.cut = kind == "cut"
        if kind == "slow":
            time.sleep(slow_seconds)
        return FAILED[kind]() if kind in FAILED else None

    @app.after_request
    def sign(response: Response) -> Response:
        response.headers[SOURCE_HEADER] = source.name
        response.headers[ORIGIN_HEADER] = str(source)
        return cut(response) if g.get("cut") else response

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "source": source.name}

    app.register_error_handler(SoqlError, refused)
    app.register_error_handler(HTTPException, http_error)
    return app


def soda(source: TripSource) -> Blueprint:
    """The routes of both versions."""
    routes = Blueprint("soda", __name__)

    @routes.get("/resource/<dataset>.<any(json, csv):kind>")
    def resource(dataset: str, kind: str) -> Response:
        known(dataset)
        return respond(query_of_parameters(request.args.to_dict()), source, dataset, kind)

    @routes.get("/api/views/<dataset>.json")
    @routes.get("/api/views/<dataset>")
    def metadata(dataset: str) -> dict[str, Any]:
        known(dataset)
        columns = [{"fieldName": name, "dataTypeName": kind} for name, kind in COLUMNS.items()]
        return {"id": dataset, "name": "Taxi Trips", "columns": columns}

    @routes.post("/api/v3/views/<dataset>/<any('query.json', 'export.csv'):form>")
    def version_3(dataset: str, form: str) -> Response:
        known(dataset)
        if not (request.headers.get("X-App-Token") or request.authorization):
            return error(403, "permission_denied", "SODA 3 needs an app token: X-App-Token")
        body = request.get_json(silent=True)
        query = query_of_body(body, form == "query.json")
        return respond(query, source, dataset, form.split(".")[1])

    return routes


def respond(query: Query, source: TripSource, dataset: str, kind: str) -> Response:
    """The query's rows, with the headers that name and type the columns."""
    rows, kinds = answer(query, source, dataset), types(query)
    body = to_csv(rows) if kind == "csv" else to_json(rows, list(kinds))
    response = Response(body, content_type=CSV_TYPE if kind == "csv" else JSON_TYPE)
    response.headers["X-SODA2-Fields"] = json.dumps(rows.column_names, separators=(",", ":"))
    response.headers["X-SODA2-Types"] = json.dumps(kinds, separators=(",", ":"))
    return response


def known(dataset: str) -> None:
    """Raise SoqlError where the City has no such data set here."""
    if dataset not in DATASETS:
        raise SoqlError("dataset.missing", f"Cannot find view with id {dataset}")


def cut(response: Response) -> Response:
    """The response with its full length announced and half of it sent."""
    body = response.get_data()
    response.automatically_set_content_length = False
    response.response = [body[: len(body) // 2]]
    response.headers["Content-Length"] = str(len(body))
    response.headers["Connection"] = "close"
    return response


def error(status: int, code: str, message: str) -> Response:
    """An error as the City's platform writes it."""
    body = json.dumps({"code": code, "error": True, "message": message})
    return Response(body, status, content_type=JSON_TYPE)


def throttled() -> Response:
    """What callers get who share the pool without a token."""
    response = error(429, "too_many_requests", "You have exceeded the limit of requests")
    response.headers["Retry-After"] = "1"
    return response


def broken() -> Response:
    """What callers get when the platform has a fault."""
    return error(500, "internal", "Internal error")


FAILED: dict[Kind | None, Callable[[], Response]] = {"429": throttled, "500": broken}


def refused(problem: SoqlError) -> Response:
    """What a query gets that is wrong: 400, with the form of the City's query coordinator."""
    if problem.code == "dataset.missing":
        return error(404, problem.code, problem.cause)
    message = f"Query coordinator error: {problem.code}; {problem.cause}"
    body = {"message": message, "errorCode": problem.code, "data": problem.data}
    return Response(json.dumps(body), 400, content_type=JSON_TYPE)


def http_error(problem: HTTPException) -> Response:
    """Any other error in the platform's form."""
    code = problem.name.lower().replace(" ", "_")
    return error(problem.code or 500, code, problem.description or problem.name)
