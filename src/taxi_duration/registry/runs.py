"""MLflow runs: one parent a pipeline run, one nested run a candidate.

Everything goes through a client that was told its server, never through MLflow's active run.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Self

from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT, MLFLOW_PARENT_RUN_ID

from taxi_duration.registry.client import client, registry_errors
from taxi_duration.settings import Settings

# What tells MLflow's pages that these are runs of trained models, not of language models.
_KIND: Final = {"mlflow.experimentKind": "custom_model_development"}


class LakeInput(NamedTuple):
    """The trips that a run read: a version of a lake's table, and how many of its trips."""

    source: str
    uri: str
    version: int
    trips: int


class Runs:
    """The runs of one experiment, tagged with the commit of the code."""

    def __init__(self, client: MlflowClient, experiment_id: str, code: str = "") -> None:
        self.client = client
        self.experiment_id = experiment_id
        self._code = code

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """The settings' experiment, made where it is missing.

        Raises RegistryError where the server cannot be reached.
        """
        with registry_errors(settings):
            connected = client(settings)
            experiment = _experiment(connected, settings.mlflow_experiment)
        return cls(connected, experiment, commit(settings))

    def start(self, name: str, tags: Mapping[str, str], parent: str = "") -> str:
        """The id of a new run, nested in `parent` where one is given, tagged with the commit."""
        tags = {**tags, MLFLOW_GIT_COMMIT: self._code, MLFLOW_PARENT_RUN_ID: parent}
        given = {key: value for key, value in tags.items() if value}
        run = self.client.create_run(self.experiment_id, tags=given, run_name=name)
        return str(run.info.run_id)

    @contextmanager
    def candidate(
        self,
        name: str,
        parent: str,
        tags: Mapping[str, str],
        params: Mapping[str, object],
        lake: LakeInput,
    ) -> Iterator[str]:
        """A nested run for the block that trains a candidate; it ends with the block."""
        run_id = self.start(name, tags, parent)
        with self.ending(run_id):
            self.read(run_id, lake)
            self.record(run_id, params=params)
            yield run_id

    def record(
        self,
        run_id: str,
        *,
        params: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        model_id: str | None = None,
    ) -> None:
        """Log parameters, metrics (of the logged model too where its id is given) and tags."""
        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[
                Metric(key, value, now, 0, model_id=model_id)
                for key, value in (metrics or {}).items()
            ],
            params=[Param(key, str(value)) for key, value in (params or {}).items()],
            tags=[RunTag(key, value) for key, value in (tags or {}).items()],
        )

    def read(self, run_id: str, lake: LakeInput) -> None:
        """Log the trips that the run was made from as its dataset."""
        dataset = Dataset(
            name=f"trips-{lake.source}",
            digest=f"version-{lake.version}",
            source_type="delta_table",
            source=json.dumps({"path": lake.uri, "delta_table_version": lake.version}),
            profile=json.dumps({"num_rows": lake.trips}),
        )
        context = InputTag("mlflow.data.context", "training")
        self.client.log_inputs(run_id, datasets=[DatasetInput(dataset, [context])])

    def draw(self, run_id: str, figures: Mapping[str, Figure]) -> None:
        """Log each figure as a picture, `plots/<name>.png`."""
        for name, figure in figures.items():
            self.client.log_figure(run_id, figure, f"plots/{name}.png")

    @contextmanager
    def ending(self, run_id: str) -> Iterator[None]:
        """End the run with the block: finished, or failed where it raises.

        A run that has ended takes what later steps add.
        """
        try:
            yield
        except BaseException:
            self.client.set_terminated(run_id, RunStatus.to_string(RunStatus.FAILED))
            raise
        self.client.set_terminated(run_id)


def commit(settings: Settings) -> str:
    """The commit that the settings name, as in an image, else the checkout's.

    Empty where there is none to know.
    """
    if settings.revision:
        return settings.revision
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()


def _experiment(client: MlflowClient, name: str) -> str:
    if found := client.get_experiment_by_name(name):
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name, tags=_KIND))
    except MlflowException as error:
        # Another run made it in the meantime.
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return str(client.get_experiment_by_name(name).experiment_id)
