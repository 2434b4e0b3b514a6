"""A small model that was really fitted, and the service with it and without one."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from duration_service import create_app
from duration_service.champion import ModelHolder
from duration_service.observations import Observations
from duration_service.registry import MlflowRegistry
from duration_service.served import Served
from duration_service.shelf import Shelf
from in_thread import serving_app
from taxi_duration.contract import ModelVersion, RegistryView
from taxi_duration.model.duration_model import QUANTILES, DurationModel, GoldenTrip, ModelInfo
from taxi_duration.model.features import FEATURES, feature_matrix
from taxi_duration.settings import Settings, load_settings
from taxi_duration.stack.stack import Stack

NOON = datetime(2022, 3, 1, 12)


def fitted(trips: int = 3_000, seed: int = 7) -> DurationModel:
    """A model of trips whose duration grows with the distance and the hour."""
    random = np.random.default_rng(seed)
    start = np.datetime64("2022-01-01", "us") + random.integers(0, 60 * 86_400, trips) * 1_000_000
    features = feature_matrix(random.integers(0, 78, trips), random.integers(0, 78, trips), start)
    miles = np.nan_to_num(features[:, FEATURES.index("miles")], nan=5.0)
    minutes = 4 + 2.5 * miles + features[:, FEATURES.index("hour")] / 4
    minutes = np.clip(minutes * random.lognormal(0, 0.2, trips), 1, 60)
    options = {"objective": "quantile", "verbose": -1, "num_threads": 1, "deterministic": True}
    boosters = [
        lgb.train({**options, "alpha": alpha}, lgb.Dataset(features, minutes), 30)
        for alpha in QUANTILES.values()
    ]
    return DurationModel(boosters, information())


def information(golden: tuple[GoldenTrip, ...] = ()) -> ModelInfo:
    return ModelInfo(
        features=FEATURES,
        source="simulated",
        months=("2022-01", "2022-02"),
        lake_uri="s3://bucket/lake/simulated/trips",
        lake_version=1,
        train_trips=3_000,
        calibration_trips=0,
        seed=7,
        parameters={},
        created_at=datetime(2022, 3, 1, tzinfo=UTC),
        min_minutes=1,
        max_minutes=60,
        interval_margin=0.5,
        golden=golden,
    )


@pytest.fixture(scope="session")
def model() -> DurationModel:
    """A model whose golden trips are answered rightly."""
    plain = fitted()
    golden = tuple(
        GoldenTrip(pickup, dropoff, NOON, plain.answer(pickup, dropoff, NOON))
        for pickup, dropoff in [(8, 76), (32, None)]
    )
    return DurationModel(plain.boosters, information(golden))


@pytest.fixture(scope="session")
def trained(model: DurationModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the model is saved."""
    folder = tmp_path_factory.mktemp("trained")
    model.save(folder)
    return folder


@pytest.fixture(scope="session")
def champion() -> ModelVersion:
    return ModelVersion(
        name="taxi-duration",
        version="3",
        run_id="0a6b4d1c9f7e4a2f8d35b1c2e7f6a890",
        source="simulated",
        months=["2022-01", "2022-02"],
        metrics={"mae": 4.1, "rmse": 6.3},
        created_at=datetime(2022, 3, 1, 6, 12, tzinfo=UTC),
    )


@pytest.fixture(scope="session")
def machine(trained: Path, champion: ModelVersion) -> Callable[..., Settings]:
    """Makes a machine in a folder: its registry is away, a model is on its disk."""

    def copy(version: ModelVersion, folder: Path) -> Path:
        return Path(shutil.copytree(trained, folder / version.version))

    def make(home: Path, **settings: Any) -> Settings:
        Shelf(home / "service" / "models", champion.name).fetch(champion, copy)
        return load_settings(home=home, mlflow_url="http://127.0.0.1:9", **settings)

    return make


@pytest.fixture
def alone(tmp_path: Path, machine: Callable[..., Settings]) -> Settings:
    """A machine whose registry is away, with a model on its disk."""
    return machine(tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def observations() -> Observations:
    """What the service was asked; nobody is told before a test hands it on."""
    return Observations([])


@pytest.fixture
def empty(settings: Settings, observations: Observations) -> Flask:
    """The service without a model; nothing watches for one."""
    shelf = Shelf(settings.home / "models", settings.model_name)
    return create_app(settings, ModelHolder(MlflowRegistry(settings), shelf, 1), observations)


@pytest.fixture
def app(
    settings: Settings, model: DurationModel, champion: ModelVersion, observations: Observations
) -> Flask:
    """The service with a model; nothing watches for another."""
    shelf = Shelf(settings.home / "models", settings.model_name)
    holder = ModelHolder(MlflowRegistry(settings), shelf, 1)
    holder.served = Served(champion, model, "registry", datetime.now(UTC))
    holder.registry_view = RegistryView(answers=True, checked_at=datetime.now(UTC))
    return create_app(settings, holder, observations)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def live(app: Flask) -> Iterator[str]:
    """The address at which the service with a model can be reached by other programs."""
    with serving_app(app) as address:
        yield address


@pytest.fixture(scope="session")
def postgres(
    tmp_path_factory: pytest.TempPathFactory, stack_settings: Callable[[Path], Settings]
) -> Iterator[Stack]:
    """A Postgres that runs, and that a test may stop and start again."""
    stack = Stack(stack_settings(tmp_path_factory.mktemp("postgres")), ("postgres",))
    stack.up()
    yield stack
    stack.down()
