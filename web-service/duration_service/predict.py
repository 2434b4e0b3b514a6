"""`POST /predict`: how long one trip, or each of a list, will take."""

import time
from collections.abc import Mapping
from typing import Any, Final
from wsgiref.util import request_uri

import msgspec
import numpy as np
from flask import Flask, Response, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from duration_service.champion import ModelHolder
from duration_service.observations import BEGAN, Answered, Observations
from duration_service.problems import ProblemError
from duration_service.requests import EXAMPLE, decode_trips
from duration_service.served import Served
from taxi_duration.contract import ChicagoTime, Prediction, Trip
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.model.features import Floats, feature_matrix, feature_row

# So many trips take 5 ms at most; other requests of the process wait for no longer than that.
FEW_TRIPS: Final = 128
_encode = msgspec.json.Encoder().encode


def answer_predictions(
    app: Flask, models: ModelHolder, observations: Observations, most_trips: int, most_body: int
) -> None:
    """Give `app` the page that predicts.

    The page has at hand what it needs: each look at a proxy of Flask's takes as long as one at the
    model's trees.
    """

    @app.post("/predict")
    def predict() -> Response:
        """One prediction for a trip, a list of them in the same order for a list."""
        environ = request.environ
        _check_content_type(environ)
        asked = decode_trips(_body(environ, most_body), most_trips)
        # Taken once: a model that is swapped in meanwhile answers the next request.
        served = models.serving()
        trips = asked if isinstance(asked, list) else [asked]
        features, minutes = _predicted(served.model, asked)
        seconds = time.perf_counter() - environ[BEGAN]
        number = next(observations.numbers)
        observations.answered.append(
            Answered(time.time(), seconds, trips, features, minutes, served, number)
        )
        answers = _answers(served, trips, minutes)
        return _Answer(
            _encode(answers if trips is asked else answers[0]), content_type="application/json"
        )


class _Answer(Response):
    """An answer in whose head is nothing that WSGI wants otherwise, such as a relative address."""

    def __call__(self, _environ: Any, start_response: Any) -> Any:
        start_response(self.status, self.headers.to_wsgi_list())
        return self.response


def _predicted(model: DurationModel, asked: Trip | list[Trip]) -> tuple[Floats, Floats]:
    """The features of one trip or more, and the minutes that the model makes of them."""
    if not isinstance(asked, list):
        features = _features_of_one(asked)
        return features, model.predict_row(features)
    features = _features_of_all(asked)
    few = len(asked) <= FEW_TRIPS
    return features, model.predict_few(features) if few else model.predict(features)


def _features_of_one(trip: Trip) -> Floats:
    return feature_row(
        _area(trip.pickup_community_area),
        _area(trip.dropoff_community_area),
        trip.trip_start_timestamp or ChicagoTime.present(),
    )


def _features_of_all(trips: list[Trip]) -> Floats:
    present = ChicagoTime.present()
    return feature_matrix(
        _areas([trip.pickup_community_area for trip in trips]),
        _areas([trip.dropoff_community_area for trip in trips]),
        np.array([trip.trip_start_timestamp or present for trip in trips], dtype="datetime64[us]"),
    )


def _answers(served: Served, trips: list[Trip], minutes: Floats) -> list[Prediction]:
    version, run_id = served.version.version, served.version.run_id
    return [
        Prediction(prediction, lower, upper, "minutes", version, run_id, trip.trip_id)
        for trip, (lower, prediction, upper) in zip(trips, minutes.tolist(), strict=True)
    ]


def _area(written: float | str | None) -> int | None:
    """The area's number, which may be written 8, 8.0, "8" or "8.0"."""
    return None if written is None else int(float(written))


def _areas(written: list[float | str | None]) -> Floats:
    """The numbers of many areas, NaN where unknown: numpy reads numbers, strings and None alike."""
    return np.array(written, dtype=np.float64)


def _body(environ: Mapping[str, Any], most: int) -> bytes:
    """The body, of `most` bytes at most."""
    body: bytes
    told = environ.get("CONTENT_LENGTH") or ""
    if told.isdecimal():
        if int(told) > most:
            raise RequestEntityTooLarge
        body = environ["wsgi.input"].read(int(told))
        if len(body) < int(told):
            raise ClientDisconnected
        return body
    # One that does not tell its length is cut where it may not go on, without a word.
    request.max_content_length = most + 1
    body = request.get_data(cache=False)
    if len(body) > most:
        raise RequestEntityTooLarge
    return body


def _check_content_type(environ: Mapping[str, Any]) -> None:
    """A body that names no type is taken for JSON; one that names another is refused."""
    encoding = environ.get("HTTP_CONTENT_ENCODING")
    if encoding and encoding.lower() != "identity":
        raise ProblemError(
            415,
            f"The body came compressed, as {encoding}; send it as it is.",
            headers={"Accept-Encoding": "identity"},
        )
    # What nearly every request says needs no parsing.
    if environ.get("CONTENT_TYPE") == "application/json":
        return
    if request.mimetype and not request.is_json:
        # Werkzeug's address would be decoded for the eye, which fails for a host such as `xn--a`.
        address = request_uri(dict(environ), include_query=False)
        raise ProblemError(
            415,
            f"The body came as {request.mimetype}; /predict takes application/json: curl -H"
            f" 'Content-Type: application/json' -d '{EXAMPLE}' {address}",
            headers={"Accept": "application/json"},
        )
