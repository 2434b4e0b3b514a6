"""What can be asked of the service, with every kind of answer: the table behind its description."""

from typing import Any, Final, NamedTuple

from duration_service.monitoring.answer import Monitoring
from taxi_duration.contract import Health, ModelAnswer, Prediction, Readiness, Trip

TRIPS: Final[Any] = Trip | list[Trip]
PREDICTIONS: Final[Any] = Prediction | list[Prediction]

# What each refusal means, wherever it comes from.
PROBLEMS: Final = {
    400: "The body is not JSON (NaN and Infinity are not), or the request is not HTTP/1.1.",
    408: "The request took too long to come.",
    413: "The list or the body is too long.",
    414: "The request's first line, which has the URL, is too long.",
    415: "The body is of another type than JSON, or is compressed.",
    417: "The header `Expect` asks for something else than `100-continue`.",
    422: "A field cannot be what it is, or is unknown, or the list is empty; `errors` has each.",
    429: "More requests came than the service takes at a time.",
    431: "The request's head is too large.",
    500: "The service failed; its log has the cause, under this `instance`.",
    501: "The body comes in chunks of another coding, such as gzip.",
    503: "There is no model yet, or Postgres, which has the figures, cannot be read.",
    505: "The request is of another version of HTTP than 1.1 and 1.0.",
}
WITH_RETRY_AFTER: Final = (429, 503)
# What can happen to a request whatever it asks for: it may be refused before it is read.
EVERYWHERE: Final = (400, 408, 413, 414, 417, 429, 431, 500, 501, 505)


class Operation(NamedTuple):
    """What can be asked at a path, and with which kind of answer it succeeds or fails."""

    summary: str
    description: str
    # A type of the contract, or the media type of a text.
    answer: Any
    # Those besides the ones that can happen everywhere.
    problems: tuple[int, ...] = ()
    takes: Any = None
    # Whether a 503 has the form of a success, and is no problem.
    unready: bool = False


OPERATIONS: Final = {
    ("post", "/predict"): Operation(
        "How long a trip takes",
        "One trip answers one prediction, a list answers a list in the same order. An area that is"
        " unknown and a time that is not given may be left out.",
        PREDICTIONS,
        (415, 422, 503),
        TRIPS,
    ),
    ("get", "/health"): Operation(
        "The process lives", "Whatever happens around it, with or without a model.", Health
    ),
    ("get", "/ready"): Operation(
        "Predictions are answered",
        "Says from which model, and how the registry does. 503 has the same form.",
        Readiness,
        unready=True,
    ),
    ("get", "/model"): Operation(
        "The model that answers",
        "Where it comes from, and how good it was.",
        ModelAnswer,
        (503,),
    ),
    ("get", "/metrics"): Operation(
        "Metrics for Prometheus", "Those of all worker processes together.", "text/plain"
    ),
    ("get", "/monitoring.json"): Operation(
        "How the model does",
        "Error, coverage and drift by month, data, runs, decisions of the gate, what was asked. A"
        " list is empty where there is nothing yet, which is never good.",
        Monitoring,
        (503,),
    ),
    ("get", "/monitoring"): Operation(
        "How the model does, to read",
        "A page of the same figures. 503 is a page that says why there are none.",
        "text/html",
        unready=True,
    ),
    ("get", "/openapi.json"): Operation(
        "This description", "OpenAPI 3.1, made of the types that the service uses.", dict[str, Any]
    ),
    ("get", "/docs/"): Operation(
        "This description, to read and to try", "A page; it needs no internet.", "text/html"
    ),
    ("get", "/"): Operation(
        "A map to ask from", "A page that asks this service; it needs no internet.", "text/html"
    ),
}
EXAMPLES: Final = {
    "one trip": {
        "value": {
            "pickup_community_area": 8,
            "dropoff_community_area": 76,
            "trip_start_timestamp": "2022-04-01T10:30:00",
            "trip_id": "to the airport",
        }
    },
    "a list": {"value": [{"pickup_community_area": "8"}, {"dropoff_community_area": "76.0"}]},
}
