import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow.models import Model

from taxi_duration.model.duration_model import MODEL_FOLDER, DurationModel
from taxi_duration.registry.package import input_example, requirements, save_package
from trips_factory import small_model


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "model"
    save_package(small_model(), folder, Model())
    return folder


def served(package: Path) -> pd.DataFrame:
    """What MLflow answers to the input example."""
    from mlflow import pyfunc

    return pyfunc.load_model(str(package)).predict(input_example())


def test_the_package_holds_the_models_own_files_and_no_pickle(package: Path) -> None:
    assert DurationModel.load(package / "artifacts" / MODEL_FOLDER).info == small_model().info
    assert not [path for path in package.rglob("*") if path.suffix in {".pkl", ".pickle"}]


def test_the_package_says_what_it_takes_answers_and_needs(package: Path) -> None:
    described = Model.load(package)
    inputs = {column.name: column.required for column in described.signature.inputs}
    assert inputs == {
        "pickup_community_area": False,
        "dropoff_community_area": False,
        "trip_start_timestamp": True,
    }
    assert described.signature.outputs.input_names() == ["lower", "prediction", "upper"]
    assert described.saved_input_example_info
    assert (package / "requirements.txt").read_text().split() == requirements()


def test_it_answers_as_the_model_does(package: Path) -> None:
    answers = served(package)
    expected = [
        small_model().answer(
            None
            if request.pickup_community_area != request.pickup_community_area
            else int(request.pickup_community_area),
            int(request.dropoff_community_area),
            request.trip_start_timestamp.to_pydatetime(),
        )
        for request in input_example().itertuples()
    ]
    assert answers.columns.tolist() == ["lower", "prediction", "upper"]
    for row, answer in zip(answers.itertuples(), expected, strict=True):
        assert (row.lower, row.prediction, row.upper) == (
            answer.lower,
            answer.prediction,
            answer.upper,
        )


@pytest.mark.slow
def test_a_process_of_its_own_serves_it_with_the_code_that_is_stored_with_it(
    package: Path,
) -> None:
    script = f"""
import json
from mlflow import pyfunc
model = pyfunc.load_model({str(package)!r})
import taxi_duration
answers = model.predict(model.input_example)
print(json.dumps([taxi_duration.__file__, answers.values.tolist()]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    imported, answers = json.loads(done.stdout.splitlines()[-1])
    assert Path(imported).is_relative_to(package)
    assert answers == served(package).to_numpy().tolist()
