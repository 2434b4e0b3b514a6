"""The application factory."""

import math

from flask import Flask

from duration_service import metrics, openapi, page, predict, prediction_log, request_counts, status
from duration_service import observations as observing
from duration_service.browse import browser
from duration_service.champion import EXTENSION, ModelHolder
from duration_service.fixed import fixed_model
from duration_service.limits import Limits
from duration_service.metrics import RequestMetrics
from duration_service.monitoring.routes import show_monitoring
from duration_service.observations import Observations, Observer, observe_requests
from duration_service.prediction_log import PredictionLog
from duration_service.problems import register_problems
from duration_service.request_counts import RequestCounts
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
    log = counts = None
    if observations is None:
        log = PredictionLog.from_settings(settings)
        counts = RequestCounts.from_settings(settings)
        observations = Observations(_observers(settings, log, counts))
        observations.start()
    if models is None and settings.model_folder:
        models = fixed_model(settings, settings.model_folder)
    elif models is None:
        models = ModelHolder.from_settings(settings)
        models.start()
    app = Flask(__name__)
    app.config["MOST_TRIPS"] = settings.max_trips_per_request
    app.config["MAX_CONTENT_LENGTH"] = Limits.of(settings).most_body
    app.config["RETRY_AFTER"] = str(math.ceil(settings.model_poll_seconds))
    app.extensions[EXTENSION] = models
    app.extensions[prediction_log.EXTENSION] = log
    app.extensions[request_counts.EXTENSION] = counts
    app.register_blueprint(predict.blueprint)
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


def _observers(
    settings: Settings, log: PredictionLog | None, counts: RequestCounts | None
) -> list[Observer]:
    observers: list[Observer] = [RequestMetrics()]
    if counts:
        observers.append(counts)
    if log:
        observers.append(log)
    # After the log, which is not to wait for a challenger.
    if shadow := Shadow.from_settings(settings, log):
        shadow.start()
        observers.append(shadow)
    return observers


def close_app(app: Flask) -> None:
    """End the application's threads, with all that they still have to hand on and to write."""
    app.extensions[EXTENSION].stop()
    app.extensions[observing.EXTENSION].stop()
    if log := app.extensions[prediction_log.EXTENSION]:
        log.close()
    if counts := app.extensions[request_counts.EXTENSION]:
        counts.close()
