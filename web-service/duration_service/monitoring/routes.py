"""`GET /monitoring` and `/monitoring.json`: the same figures, for people and for programs."""

from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from flask import Blueprint, Flask, Response, current_app, make_response, render_template, request

from duration_service.champion import model_holder
from duration_service.monitoring import words
from duration_service.monitoring.answer import DRILL, FLOOR, Limits, Monitoring
from duration_service.monitoring.board import board
from duration_service.monitoring.reading import EXTENSION, Reader, UnreadError
from duration_service.page import HEADERS
from duration_service.prediction_log import prediction_log_view
from taxi_duration.settings import Settings

_SETTINGS = "MONITORING"

blueprint = Blueprint("monitoring", __name__)


def show_monitoring(app: Flask, settings: Settings) -> None:
    """Add the two pages to `app`. Raises SettingsError where the database cannot be used."""
    app.extensions[EXTENSION] = Reader.from_settings(settings)
    app.config[_SETTINGS] = {
        "model": settings.model_name,
        "limits": Limits(
            error_ratio=settings.retrain_error_ratio,
            drift_share=settings.drift_share,
            min_coverage=settings.gate_min_coverage,
            max_coverage=settings.gate_max_coverage,
        ),
        "links": {"mage": settings.mage_pages, "mlflow": settings.mlflow_pages},
    }
    app.register_blueprint(blueprint)


@blueprint.get("/monitoring.json")
def figures() -> Response:
    """The figures; 503 where Postgres is away or not known."""
    try:
        answer = _monitoring()
    except UnreadError as error:
        raise error.problem() from None
    return Response(msgspec.json.encode(answer), mimetype="application/json")


@blueprint.get("/monitoring")
def page() -> Response:
    """The page, whole: it has no script. Without figures it says why, and is a 503."""
    settings = current_app.config[_SETTINGS]
    try:
        shown = _monitoring()
    except UnreadError as error:
        answer = make_response(
            render_template("monitoring.html", trouble=str(error), links=settings["links"]), 503
        )
        if error.seconds is not None:
            answer.headers["Retry-After"] = str(error.seconds)
    else:
        now = datetime.now(UTC)
        answer = make_response(
            render_template(
                "monitoring.html",
                trouble=None,
                now=now,
                DRILL=DRILL,
                FLOOR=FLOOR,
                words=words,
                links=settings["links"],
                log=prediction_log_view(),
                **board(shown, request.args.get("source", ""), now)._asdict(),
            )
        )
    answer.headers.update(HEADERS)
    return answer


def _monitoring() -> Monitoring:
    reader = cast("Reader", current_app.extensions[EXTENSION])
    read: dict[str, Any] = msgspec.structs.asdict(reader.figures())
    served = model_holder().served
    serving = served.version.version if served else None
    return Monitoring(**read, serving=serving, **current_app.config[_SETTINGS])
