"""The gate at work, on models that are better, worse, equal, or bad at the airports."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from sqlalchemy import select

from registered import own_model
from taxi_duration.model.dataset import Sample
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.model.features import FEATURES
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.tables import gate_decisions
from taxi_duration.pipeline import promotion
from taxi_duration.pipeline.gate import gate, register_model
from taxi_duration.registry.champion import champion
from taxi_duration.registry.client import client
from taxi_duration.registry.versions import versions
from taxi_duration.settings import Settings
from training_parts import candidate_of, fill, finish, fitted, own_place, train

pytestmark = pytest.mark.stack

Propose = Callable[[DurationModel], dict[str, Any]]


def shuffled(trips: Sample) -> Sample:
    """The trips with each other's durations."""
    return trips._replace(minutes=np.random.default_rng(0).permutation(trips.minutes))


def late_at_airports(trips: Sample) -> Sample:
    """The trips, those from an airport ten minutes longer than they were."""
    airport = trips.features[:, FEATURES.index("pickup_airport")] == 1
    return trips._replace(minutes=trips.minutes + 10 * airport)


@pytest.fixture(scope="module")
def place(backends: Settings) -> Settings:
    # Small segments count, and intervals do not: only what is meant to refuse a model may do so.
    bounds = {"gate_segment_trips": 150, "gate_min_coverage": 0.3, "gate_max_coverage": 1.0}
    return own_place(backends).model_copy(update=bounds)


@pytest.fixture(scope="module")
def evaluated(place: Settings) -> dict[str, Any]:
    return train(place, fill(place, "simulated"))


@pytest.fixture(scope="module")
def coarse(place: Settings, evaluated: dict[str, Any]) -> DurationModel:
    """A model of few rounds, which a good one can beat."""
    return fitted(place, evaluated, rounds=12)


@pytest.fixture(scope="module")
def good(place: Settings, evaluated: dict[str, Any]) -> DurationModel:
    return fitted(place, evaluated)


@pytest.fixture
def settings(place: Settings) -> Settings:
    """The same trips with a registered model of its own, which has no version yet."""
    return own_model(place)


@pytest.fixture
def propose(settings: Settings, evaluated: dict[str, Any]) -> Propose:
    """Lets a model go through the gate and be registered."""
    return lambda model: finish(settings, candidate_of(settings, evaluated, model))


@pytest.fixture
def serving(settings: Settings, propose: Propose, coarse: DurationModel) -> str:
    """The version that serves: the coarse model, by hand where the floor is better."""
    first = propose(coarse)
    if not first["promoted"]:
        promotion.promote(settings, first["version"], "ada@desk", "Something has to serve.")
    return str(first["version"])


def row(settings: Settings, run_id: str) -> dict[str, Any]:
    query = select(gate_decisions).where(gate_decisions.c.run_id == run_id)
    with connect(settings) as connection:
        return dict(connection.execute(query).mappings().one())


def test_a_better_model_is_promoted(
    settings: Settings, serving: str, propose: Propose, good: DurationModel
) -> None:
    result = propose(good)
    assert result["promoted"], result["reason"]
    assert "champion 1" in result["reason"]
    holder = champion(settings)
    assert holder
    assert holder.version == result["version"] == result["champion"] == "2"
    assert [each.aliases for each in versions(settings)] == [["champion"], []]


def test_a_model_of_shuffled_durations_is_refused_and_stays_challenger(
    settings: Settings, serving: str, propose: Propose, evaluated: dict[str, Any], place: Settings
) -> None:
    result = propose(fitted(place, evaluated, shuffled))
    assert (result["promoted"], result["champion"]) == (False, serving)
    assert "worse" in result["reason"]
    assert [each.aliases for each in versions(settings)] == [["challenger"], ["champion"]]


def test_a_model_that_is_better_overall_but_bad_at_the_airports_is_refused(
    settings: Settings, serving: str, propose: Propose, evaluated: dict[str, Any], place: Settings
) -> None:
    result = propose(fitted(place, evaluated, late_at_airports))
    assert (result["promoted"], result["champion"]) == (False, serving)
    found = row(settings, result["run_id"])
    assert found["least_gain"] > settings.gate_margin_minutes
    assert [check["name"] for check in found["checks"] if not check["passed"]] == ["segments"]
    assert "airport" in result["reason"]


def test_an_equal_model_is_refused(serving: str, propose: Propose, coarse: DurationModel) -> None:
    result = propose(coarse)
    assert (result["promoted"], result["champion"]) == (False, serving)
    assert "no difference" in result["reason"]


def test_without_a_champion_a_model_worse_than_the_floor_is_refused(
    settings: Settings, propose: Propose, evaluated: dict[str, Any], place: Settings
) -> None:
    result = propose(fitted(place, evaluated, shuffled))
    assert (result["promoted"], result["champion"], champion(settings)) == (False, "", None)
    assert "the floor" in result["reason"]


def test_a_decision_is_stored_in_the_run_on_the_version_and_in_postgres(
    settings: Settings, serving: str, propose: Propose, good: DurationModel, tmp_path: Path
) -> None:
    result = propose(good)
    mlflow: MlflowClient = client(settings)
    folder = Path(mlflow.download_artifacts(result["run_id"], "gate", str(tmp_path)))
    decision = json.loads((folder / "decision.json").read_text())
    assert (decision["promoted"], decision["version"]) == (True, "2")
    assert decision["rows"]["trips"] == result["features"]["test"]
    assert len(decision["rows"]["sha256"]) == 64
    assert "Version 2 of the run for 2019-03" in (folder / "decision.html").read_text()
    assert result["decision"]["page"].endswith(
        f"runs/{result['run_id']}/artifacts/gate/decision.html"
    )
    tags = mlflow.get_model_version(settings.model_name, "2").tags
    assert (tags["decision"], tags["reason"]) == ("promoted", result["reason"])
    assert float(tags["gate.gain"]) == pytest.approx(decision["figures"]["gain"], 1e-4)
    found = row(settings, result["run_id"])
    assert (found["version"], found["promoted"], found["reason"]) == ("2", True, result["reason"])
    assert found["gain"] == decision["figures"]["gain"]
    assert found["page_url"] == result["decision"]["page"]


def test_the_decision_is_logged_rule_by_rule(
    settings: Settings,
    evaluated: dict[str, Any],
    coarse: DurationModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("INFO", "taxi_duration"):
        gate(settings, candidate_of(settings, evaluated, coarse))
    told = "\n".join(caplog.messages)
    for rule in (
        "source",
        "golden trips",
        "enough trips",
        "error",
        "segments",
        "coverage",
        "speed",
    ):
        assert f"{rule}: " in told
    assert "The candidate is to be" in told


def test_a_decision_is_void_where_another_version_serves_by_then(
    settings: Settings,
    serving: str,
    propose: Propose,
    evaluated: dict[str, Any],
    good: DurationModel,
    coarse: DurationModel,
) -> None:
    gated = gate(settings, candidate_of(settings, evaluated, good))
    assert gated["decision"]["promoted"]
    meanwhile = propose(coarse)["version"]
    promotion.promote(settings, meanwhile, "ada@desk", "I want this one.")
    result = register_model(settings, gated)
    assert (result["promoted"], result["champion"]) == (False, meanwhile)
    assert f"compared with champion {serving}, and now it is {meanwhile}" in result["reason"]
    assert row(settings, result["run_id"])["promoted"] is False


@pytest.mark.parametrize(("tested", "known"), [
    ("", "these trips"),
    ("2019-04-01T00:00:00", "these trips"),
    ("2019-03-22T00:00:00", "those of these trips that start before 2019-03-22 00:00"),
    ("2019-03-01T00:00:00", ""),
])  # fmt: skip
def test_a_champion_that_knows_the_trips_is_told(
    place: Settings,
    evaluated: dict[str, Any],
    good: DurationModel,
    coarse: DurationModel,
    tested: str,
    known: str,
) -> None:
    settings = own_model(place)
    knowing = {**candidate_of(settings, evaluated, good), "history": ["2019-02", "2019-03"]}
    assert finish(settings, knowing)["promoted"]
    mlflow = client(settings)
    if tested:
        mlflow.set_tag(knowing["candidates"]["lightgbm"], "test_from", tested)
    result = finish(settings, candidate_of(settings, evaluated, coarse))
    artifacts = mlflow.download_artifacts(result["run_id"], "gate/decision.json")
    notes = json.loads(Path(artifacts).read_text())["notes"]
    told = (
        f"champion 1 was trained on 2019-03 as well and knows {known}: the comparison favours it."
    )
    assert notes == ([told] if known else [])
