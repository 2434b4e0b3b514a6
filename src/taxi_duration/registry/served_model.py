"""The model as MLflow serves it: a script that MLflow runs, so that no pickle is loaded.

`mlflow models serve` takes the three columns of a request and answers lower, prediction and upper:
the same numbers as the service. It imports only what is stored with the model.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from taxi_duration.model.duration_model import MODEL_FOLDER, QUANTILES, DurationModel
from taxi_duration.model.features import Floats, feature_matrix


class ServedModel(PythonModel):  # type: ignore[misc]  # MLflow is untyped
    """The stored model behind a data frame of requests."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model's own files, checked."""
        self.model = DurationModel.load(Path(context.artifacts[MODEL_FOLDER]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  the signature is MLflow's
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Lower, prediction and upper in minutes, one row a request."""
        features = feature_matrix(
            _areas(model_input, "pickup_community_area"),
            _areas(model_input, "dropoff_community_area"),
            model_input["trip_start_timestamp"].to_numpy(dtype="datetime64[us]"),
        )
        return pd.DataFrame(self.model.predict(features), columns=list(QUANTILES))


def _areas(requests: pd.DataFrame, name: str) -> Floats:
    if name not in requests:
        return np.full(len(requests), np.nan)
    return np.asarray(requests[name].to_numpy(dtype=np.float64, na_value=np.nan))


set_model(ServedModel())
