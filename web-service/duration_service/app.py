"""The application factory."""

from flask import Flask

from duration_service import (
    metrics,
    openapi,
    page,
    prediction_log,
    request_counts,
    shadow,
    status,
)
from duration_service import observations as observing
from duration_service.browse import browser
from duration_service.champion import EXTENSION, ModelHolder
from duration_service.fixed import fixed_model
from duration_service.following import FIRST_SECONDS
from duration_service.limits import Limits
from duration_service.metrics import RequestMetrics
from duration_service.monitoring.routes import show_monitoring
from duration_service.observations import Observations, Observer, observe_requests
from duration_service.predict import answer_predictions
from duration_service.prediction_log import PredictionLog
from duration_service.problems import register_problems
from duration_service.request_counts import RequestCounts
from duration_service.routing import TableRoutedFlask
from duration_service.shadow import Shadow
from taxi_duration.settings import Settings, load_settings


def create_app(
    settings: Settings | None = None,
    models: ModelHolder | None = None,
    observations: Observations | None = None,
) -> Flask:
    """The service with its routes.

    Without `models` it serves the model of the settings' folder, or else the champion of their
    registry. That it watches from a thread of this process; so it must be called in the process
    that serves, after any fork. The same goes for `observations`; without them requests are
    counted, and predictions and counts are logged where the settings name a database.
    """
    settings = settings or load_settings()
    log = counts = challenger = None
    if observations is None:
        log = PredictionLog.from_settings(settings)
        counts = RequestCounts.from_settings(settings)
        challenger = _shadow(settings, log)
        observers: list[Observer | None] = [RequestMetrics(), counts, log, challenger]
        observations = Observations([one for one in observers if one])
        observations.start()
    if models is None and settings.model_folder:
        models = fixed_model(settings, settings.model_folder)
    elif models is None:
        models = ModelHolder.from_settings(settings)
        models.start()
    app = TableRoutedFlask(__name__)
    app.config["MOST_TRIPS"] = most_trips = settings.max_trips_per_request
    app.config["MAX_CONTENT_LENGTH"] = most_body = Limits.of(settings).most_body
    app.config["RETRY_AFTER"] = str(FIRST_SECONDS)
    app.extensions[EXTENSION] = models
    app.extensions[prediction_log.EXTENSION] = log
    app.extensions[shadow.EXTENSION] = challenger
    app.extensions[request_counts.EXTENSION] = counts
    answer_predictions(app, models, observations, most_trips, most_body)
    app.register_blueprint(status.blueprint)
    app.register_blueprint(openapi.blueprint)
    app.register_blueprint(browser())
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(page.blueprint)
    show_monitoring(app, settings)
    register_problems(app)
    openapi.describe(app)
    observe_requests(app, observations)
    return app


def _shadow(settings: Settings, log: PredictionLog | None) -> Shadow | None:
    found = Shadow.from_settings(settings, log)
    if found:
        found.challenger.start()
        found.start()
    return found


def close_app(app: Flask) -> None:
    """End the application's threads, with all that they still have to hand on and to write."""
    app.extensions[EXTENSION].stop()
    app.extensions[observing.EXTENSION].stop()
    # After the observations, which hand it the last answers; before the log, which takes its own.
    if challenger := app.extensions[shadow.EXTENSION]:
        challenger.stop()
    if log := app.extensions[prediction_log.EXTENSION]:
        log.close()
    if counts := app.extensions[request_counts.EXTENSION]:
        counts.close()
