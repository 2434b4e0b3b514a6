"""From a stack that is up to a model that answers, and what to tell of it."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import PipelineError
from taxi_duration.settings import Settings
from taxi_duration.stack.health import ask, get_json
from taxi_duration.stack.resolved import plain, reach

# From the Near North Side to O'Hare, on a Friday morning.
TRIP: Final = {
    "pickup_community_area": 8,
    "dropoff_community_area": 76,
    "trip_start_timestamp": "2022-04-01T10:30:00",
}
_PATIENCE_SECONDS: Final = 120
_SAID: Final = {
    "mae": "MAE {:.2f} min",
    "floor_mae": "floor {:.2f} min",
    "rmse": "RMSE {:.2f} min",
    "within_5": "{:.1%} within 5 min",
    "coverage_80": "{:.1%} inside the 80% interval",
}


def served_model(settings: Settings) -> dict[str, Any]:
    """What the service says of its model (`/model`); empty where it has none or does not answer."""
    return get_json(reach(settings.host), settings.service_port, "/model")


def model_that_answers(settings: Settings) -> dict[str, Any]:
    """The same, but where the registry has a champion, wait until the service has one too."""
    served = served_model(settings)
    if served:
        return served
    from taxi_duration.registry.champion import champion  # noqa: PLC0415  seconds, seldom needed

    found = champion(settings)
    return _wait_for_model(settings, found.version) if found else {}


def train_first_model(settings: Settings, show: Callable[[str], None]) -> dict[str, Any]:
    """Run the pipeline once, and wait until the service answers with the champion.

    Returns the model; empty where the run ended without one (too few trips, for instance). Raises
    PipelineError where it failed.
    """
    from taxi_duration.pipeline.mage import run_pipeline  # noqa: PLC0415

    show("There is no model yet: running the pipeline once.")
    run_pipeline(settings, {}, show)
    return model_that_answers(settings)


def first_champion(settings: Settings, show: Callable[[str], None]) -> ModelVersion:
    """The registry's champion; where there is none, run the pipeline once and wait for it.

    A run that is under way already, of this command before it was interrupted, is followed instead.
    Raises PipelineError where the run failed or ended without a model.
    """
    from taxi_duration.pipeline.mage import follow_run, run_pipeline, unfinished_run  # noqa: PLC0415
    from taxi_duration.registry.champion import champion  # noqa: PLC0415

    if found := champion(settings):
        show("There is a model already: nothing is trained.")
        return found
    if number := unfinished_run(settings):
        show("There is no model yet, but a run of the pipeline is under way.")
        follow_run(settings, number, show)
    else:
        show("There is no model yet: running the pipeline once.")
        run_pipeline(settings, {}, show)
    if found := champion(settings):
        return found
    raise PipelineError(
        "The run ended without a model.",
        "Its log in Mage says which rule or number was against it.",
    )


def summary(settings: Settings, model: dict[str, Any]) -> Iterator[str]:
    """What a person wants to know of a stack that is up, line by line."""
    yield f"Predictions  {settings.service_url}/predict"
    yield f"MLflow       {settings.mlflow_pages}"
    yield f"Mage         {settings.mage_pages}"
    yield f"             sign in as {settings.mage_owner_email}"
    yield f"             password {plain(settings.mage_owner_password)}"
    if not model:
        yield "Model        none yet: `taxi run` trains one"
        return
    yield f"Model        {model['name']} version {model['version']}, source={model['source']}"
    yield f"             trained on {', '.join(model['months'])}"
    yield f"             {_figures(model['metrics'])}"
    yield ""
    yield from _example(settings)


def _wait_for_model(settings: Settings, version: str) -> dict[str, Any]:
    """Wait until every worker process has it: that many answers in a row come from all of them."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    in_a_row, served = 0, {}
    while in_a_row < 8 * settings.service_workers:
        served = served_model(settings)
        in_a_row = in_a_row + 1 if served.get("version") == version else 0
        if time.monotonic() > deadline:
            raise PipelineError(
                f"The service does not answer with model {version}.",
                f"See {settings.home}/logs/service.log and {settings.service_url}/ready.",
            )
        if not in_a_row:
            time.sleep(0.2)
    return served


def _figures(metrics: dict[str, float]) -> str:
    """Such as `MAE 4.10 min, RMSE 6.24 min`: those of the figures that the version has."""
    said = (text.format(metrics[name]) for name, text in _SAID.items() if name in metrics)
    return ", ".join(said)


def _example(settings: Settings) -> Iterator[str]:
    trip = json.dumps(TRIP)
    status, answer = ask(reach(settings.host), settings.service_port, "/predict", body=trip)
    yield f"$ curl -s {settings.service_url}/predict -H 'Content-Type: application/json' \\"
    yield f"    -d '{trip}'"
    yield answer.strip() if status == 200 else f"{status}: {answer.strip()}"
