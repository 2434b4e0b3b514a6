"""`POST /predict`: how long one trip, or each of a list, will take."""

import time

import msgspec
import numpy as np
from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from duration_service.champion import model_holder
from duration_service.observations import Answered, observations
from duration_service.problems import ProblemError
from duration_service.requests import EXAMPLE, decode_trips
from duration_service.served import Served
from taxi_duration.contract import ChicagoTime, Prediction, Trip
from taxi_duration.model.features import Floats, feature_matrix, feature_row

blueprint = Blueprint("predict", __name__)
_encode = msgspec.json.Encoder().encode


@blueprint.post("/predict")
def predict() -> Response:
    """One prediction for a trip, a list of them in the same order for a list."""
    _check_content_type()
    trips = decode_trips(_body(), current_app.config["MOST_TRIPS"])
    # Taken once: a model that is swapped in meanwhile answers the next request.
    served = model_holder().serving()
    answer = predict_list(served, trips) if isinstance(trips, list) else predict_one(served, trips)
    return Response(_encode(answer), content_type="application/json")


def predict_one(served: Served, trip: Trip) -> Prediction:
    """The prediction for one trip, in minutes."""
    features = feature_row(
        _area(trip.pickup_community_area),
        _area(trip.dropoff_community_area),
        trip.trip_start_timestamp or ChicagoTime.present(),
    )
    minutes = served.model.predict_row(features)
    _observe(served, [trip], features, minutes)
    [answer] = _answers(served, [trip], minutes)
    return answer


def predict_list(served: Served, trips: list[Trip]) -> list[Prediction]:
    """The prediction for each trip, in minutes and in order; computed at once."""
    present = ChicagoTime.present()
    features = feature_matrix(
        _areas([trip.pickup_community_area for trip in trips]),
        _areas([trip.dropoff_community_area for trip in trips]),
        np.array([trip.trip_start_timestamp or present for trip in trips], dtype="datetime64[us]"),
    )
    minutes = served.model.predict(features)
    _observe(served, trips, features, minutes)
    return _answers(served, trips, minutes)


def _observe(served: Served, trips: list[Trip], features: Floats, minutes: Floats) -> None:
    seconds = time.perf_counter() - g.began
    observations().answered.append(Answered(time.time(), seconds, trips, features, minutes, served))


def _answers(served: Served, trips: list[Trip], minutes: Floats) -> list[Prediction]:
    version, run_id = served.champion.version, served.champion.run_id
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


def _body() -> bytes:
    """The body. One that does not tell its length is cut at the limit, without a word."""
    body = request.get_data(cache=False)
    if len(body) >= current_app.config["MAX_CONTENT_LENGTH"]:
        raise RequestEntityTooLarge
    return body


def _check_content_type() -> None:
    """A body that names no type is taken for JSON; one that names another is refused."""
    if request.content_encoding and request.content_encoding.lower() != "identity":
        raise ProblemError(
            415,
            f"The body came compressed, as {request.content_encoding}; send it as it is.",
            headers={"Accept-Encoding": "identity"},
        )
    # What nearly every request says needs no parsing.
    if request.content_type == "application/json":
        return
    if request.mimetype and not request.is_json:
        raise ProblemError(
            415,
            f"The body came as {request.mimetype}; /predict takes application/json: curl -H"
            f" 'Content-Type: application/json' -d '{EXAMPLE}' {request.base_url}",
            headers={"Accept": "application/json"},
        )
