"""The application factory."""

import math

from flask import Flask

from duration_service import metrics, predict, status
from duration_service.champion import EXTENSION, ModelHolder
from duration_service.fixed import fixed_model
from duration_service.limits import Limits
from duration_service.metrics import RequestMetrics
from duration_service.observations import Observations, observe_requests
from duration_service.problems import register_problems
from taxi_duration.settings import Settings, load_settings


def create_app(
    settings: Settings | None = None,
    models: ModelHolder | None = None,
    observations: Observations | None = None,
) -> Flask:
    """The service with its routes.

    Without `models` it serves the model of the settings' folder, or else the champion of their
    registry. That it watches from a thread of this process; so it must be called in the process
    that serves, after any fork. The same goes for `observations`.
    """
    settings = settings or load_settings()
    if observations is None:
        observations = Observations([RequestMetrics()])
        observations.start()
    if models is None and settings.model_folder:
        models = fixed_model(settings, settings.model_folder)
    elif models is None:
        models = ModelHolder.from_settings(settings)
        models.start()
    app = Flask(__name__, static_folder=None)
    app.config["MOST_TRIPS"] = settings.max_trips_per_request
    app.config["MAX_CONTENT_LENGTH"] = Limits.of(settings).most_body
    app.config["RETRY_AFTER"] = str(math.ceil(settings.model_poll_seconds))
    app.extensions[EXTENSION] = models
    observe_requests(app, observations)
    app.register_blueprint(predict.blueprint)
    app.register_blueprint(status.blueprint)
    app.register_blueprint(metrics.blueprint)
    register_problems(app)
    return app
