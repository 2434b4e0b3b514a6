"""Whether a function version answers as its model does: its golden trips, through a real call."""

import json
from typing import Any, Final

import msgspec
import numpy as np

from taxi_duration.contract import Prediction
from taxi_duration.errors import DeliveryError
from taxi_duration.model.duration_model import GOLDEN_TOLERANCE, GoldenTrip
from taxi_duration.pipeline.lambda_function import LambdaFunction
from taxi_duration.registry.shipment import Shipped

# Characters of an answer that is wrong.
_SHOWN: Final = 500


class _Answer(msgspec.Struct, rename="camel"):
    status_code: int
    body: str


def check(function: LambdaFunction, version: str, expected: Shipped) -> None:
    """Raise DeliveryError unless the function version gives the model's own golden answers."""
    golden = expected.info.golden
    got = _predictions(function.invoke(version, _event(golden)))
    said = {(one.model_version, one.run_id) for one in got}
    wanted = expected.version
    if said != {(wanted.version, wanted.run_id)}:
        raise _failed(f"it answers with another model than version {wanted.version}: {said}")
    asked = len(golden) or 1
    if len(got) != asked:
        raise _failed(f"it gives {len(got)} answers to {asked} trips")
    for trip, one in zip(golden, got, strict=False):
        answer, right = (one.lower, one.prediction, one.upper), msgspec.structs.astuple(trip.answer)
        if not np.allclose(answer, right, rtol=0, atol=GOLDEN_TOLERANCE):
            raise _failed(f"it answers {answer} minutes to the golden trip {trip}")


def _event(golden: tuple[GoldenTrip, ...]) -> dict[str, Any]:
    """An event of an HTTP API: the golden trips as one list; a model without any answers one."""
    trips = [
        {
            "pickup_community_area": trip.pickup_community_area,
            "dropoff_community_area": trip.dropoff_community_area,
            "trip_start_timestamp": trip.trip_start_timestamp.isoformat(),
        }
        for trip in golden
    ]
    call = {"method": "POST", "path": "/predict", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/predict",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "user-agent": "taxi deploy lambda"},
        "requestContext": {"http": call, "stage": "$default"},
        "body": json.dumps(trips or [{}]),
        "isBase64Encoded": False,
    }


def _predictions(payload: Any) -> list[Prediction]:
    try:
        answer = msgspec.convert(payload, _Answer)
        if answer.status_code == 200:
            return msgspec.json.decode(answer.body, type=list[Prediction])
    except msgspec.ValidationError as error:
        raise _failed(f"it answers {str(payload)[:_SHOWN]}: {error}") from error
    raise _failed(f"it answers {answer.status_code}: {answer.body[:_SHOWN]}")


def _failed(why: str) -> DeliveryError:
    return DeliveryError(
        f"The function does not pass its check: {why}.", "Callers get what they got before."
    )
