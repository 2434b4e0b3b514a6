"""`GET /health`, `/ready` and `/model`: whether the service lives, answers, and with what."""

import msgspec
from flask import Blueprint, Response, current_app

from duration_service.champion import model_holder
from duration_service.prediction_log import prediction_log_view
from taxi_duration.contract import Health, ModelAnswer, Readiness

blueprint = Blueprint("status", __name__)


@blueprint.get("/health")
def health() -> Response:
    """200 while the process lives, whatever happens around it."""
    return _json(Health())


@blueprint.get("/ready")
def ready() -> Response:
    """200 where predictions are answered, 503 where there is no model yet."""
    models = model_holder()
    served = models.served
    answer = Readiness(
        ready=served is not None,
        model_version=served.version.version if served else None,
        loaded_from=served.loaded_from if served else None,
        registry=models.registry_view,
        refused=models.refused,
        prediction_log=prediction_log_view(),
    )
    if served:
        return _json(answer)
    return _json(answer, 503, {"Retry-After": current_app.config["RETRY_AFTER"]})


@blueprint.get("/model")
def model() -> Response:
    """The model that answers; 503 where there is none yet."""
    models = model_holder()
    served = models.serving()
    return _json(
        ModelAnswer(
            **msgspec.structs.asdict(served.version),
            loaded_at=served.loaded_at,
            loaded_from=served.loaded_from,
            refused=models.refused,
        )
    )


def _json(answer: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(answer), status=status, headers=headers, mimetype="application/json"
    )
