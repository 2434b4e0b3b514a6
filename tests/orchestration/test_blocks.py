"""The checks inside the blocks: what they accept and what they refuse, without Mage."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taxi_duration.errors import PipelineError

CLEANED: dict[str, Any] = {
    "source": "simulated",
    "month": "2019-03",
    "history": ["2019-01", "2019-02"],
    "asked": 100,
    "champion": "2",
    "rows": {"2019-01": 100, "2019-02": 90, "2019-03": 95},
    "trips": {"2019-01": 90, "2019-02": 90, "2019-03": 90},
    "quarantined": {"2019-01": {"no_area": 10}, "2019-02": {}, "2019-03": {"zero": 2, "late": 3}},
}
METRICS = {"mae": 3.0, "rmse": 5.0}
TRAINED: dict[str, Any] = {
    **CLEANED,
    "features": {"train": 100, "calibration": 30, "test": 50},
    "run_id": "parent",
    "candidates": {"floor": "a", "model": "b"},
    "metrics": {"floor": METRICS, "model": METRICS},
    "best": "model",
}
DECIDED = {"promoted": False, "reason": "It is worse.", "rival": "2", "page": "http://mlflow/"}
WANTED = {"wanted": True, "reason": "Two months were over.", "number": 3}
GATED: dict[str, Any] = {**TRAINED, "decision": DECIDED}


@pytest.fixture
def check(root: Path) -> Callable[[str, str, object], None]:
    """Runs one `@test` of a block, as Mage does after the block, or the block itself."""

    def decorate(function: object) -> object:
        return function

    names = ("data_loader", "transformer", "data_exporter", "test")
    project = root / "orchestration" / "taxi_duration"

    def run(block: str, test: str, output: object) -> None:
        path = project / f"{block}.py"
        runpy.run_path(str(path), init_globals=dict.fromkeys(names, decorate))[test](output)

    return run


NOTHING: dict[str, Any] = {"drift": []}
COMPARED: dict[str, Any] = {"drift": [{"column_name": "prediction"}]}
TRUTH: dict[str, Any] = {**CLEANED, "served": ["1", "2"], "judged": ["1"], "outcomes": 5}
LIVE = "data_exporters/record_window"
SCORING = "both_sides_were_scored_by_what_had_not_learned_the_month"
SCORED: dict[str, Any] = {
    **CLEANED,
    "scored": {"reference": "r", "current": "c"},
    "reference_months": ["2019-01", "2019-02"],
    "model_version": "2",
}

ACCEPTED = [
    ("data_exporters/record_truth", "only_who_served_is_judged", TRUTH),
    (
        "data_loaders/load_window",
        "each_request_brought_a_prediction_or_more",
        {"asked": {"predictions": 9, "answered_requests": 2}},
    ),
    (
        "transformers/compare_window",
        "there_is_a_report_where_columns_were_compared",
        {"report": "", "figures": NOTHING},
    ),
    (LIVE, "the_window_was_recorded", {"recorded": 2, "figures": COMPARED}),
    (
        LIVE,
        "what_was_compared_has_its_page",
        {"exported": {"html": "s3://b/drift.html"}, "figures": COMPARED},
    ),
    ("data_loaders/load_trips", "every_month_has_trips", CLEANED),
    ("data_loaders/load_trips", "no_month_has_more_trips_than_asked_for", CLEANED),
    (
        "data_loaders/load_trips",
        "no_month_has_more_trips_than_asked_for",
        {"asked": 0, "rows": {"2019-03": 10**6}},
    ),
    ("transformers/clean_trips", "every_row_is_a_trip_or_in_quarantine", CLEANED),
    ("transformers/build_features", "only_trips_of_the_lake_are_used", TRAINED),
    ("transformers/build_features", "no_part_of_the_split_is_empty", TRAINED),
    ("transformers/train_models", "every_candidate_has_a_run_of_its_own", TRAINED),
    ("transformers/evaluate_models", "every_candidate_was_evaluated", TRAINED),
    ("transformers/evaluate_models", "errors_are_possible_minutes", TRAINED),
    ("transformers/gate", "the_decision_has_a_reason_and_is_stored", GATED),
    (
        "data_exporters/register_model",
        "nothing_is_promoted_against_the_gate",
        {**GATED, "promoted": False},
    ),
    ("transformers/score_trips", SCORING, SCORED),
    # The champion of now, version 2, has learned the month.
    ("transformers/score_trips", SCORING, {**SCORED, "model_version": "1"}),
    ("transformers/score_trips", SCORING, {**SCORED, "model_version": "floor"}),
    ("data_exporters/record_drift", "figures_were_recorded", {"recorded": 9, "drifted_share": 0.2}),
    ("data_exporters/judge_retraining", "the_decision_has_a_reason", {"retrain": WANTED}),
    ("data_exporters/judge_retraining", "what_is_wanted_is_written_down", {"retrain": WANTED}),
    ("data_exporters/queue_retraining", "a_run_was_queued", {"retraining_run": "8"}),
]

REFUSED = [
    (
        "data_exporters/record_truth",
        "only_who_served_is_judged",
        {**TRUTH, "judged": ["3"]},
    ),
    (
        "data_loaders/load_window",
        "each_request_brought_a_prediction_or_more",
        {"asked": {"predictions": 1, "answered_requests": 2}},
    ),
    (
        "transformers/compare_window",
        "there_is_a_report_where_columns_were_compared",
        {"report": "", "figures": COMPARED},
    ),
    (LIVE, "the_window_was_recorded", {"recorded": 1, "figures": COMPARED}),
    (LIVE, "what_was_compared_has_its_page", {"exported": {"html": ""}, "figures": COMPARED}),
    (
        "data_loaders/load_trips",
        "every_month_has_trips",
        {**CLEANED, "rows": {"2019-01": 100, "2019-02": 0, "2019-03": 95}},
    ),
    (
        "data_loaders/load_trips",
        "every_month_has_trips",
        {**CLEANED, "rows": {"2019-02": 1, "2019-03": 95}},
    ),
    ("data_loaders/load_trips", "no_month_has_more_trips_than_asked_for", {**CLEANED, "asked": 99}),
    (
        "transformers/clean_trips",
        "every_row_is_a_trip_or_in_quarantine",
        {**CLEANED, "trips": {"2019-01": 90, "2019-02": 90, "2019-03": 89}},
    ),
    (
        "transformers/build_features",
        "only_trips_of_the_lake_are_used",
        {**TRAINED, "features": {"train": 200, "calibration": 30, "test": 50}},
    ),
    (
        "transformers/build_features",
        "no_part_of_the_split_is_empty",
        {**TRAINED, "features": {"train": 100, "calibration": 30, "test": 0}},
    ),
    (
        "transformers/train_models",
        "every_candidate_has_a_run_of_its_own",
        {**TRAINED, "candidates": {"floor": "a", "model": "parent"}},
    ),
    ("transformers/evaluate_models", "every_candidate_was_evaluated", {**TRAINED, "metrics": {}}),
    ("transformers/evaluate_models", "every_candidate_was_evaluated", {**TRAINED, "best": "other"}),
    (
        "transformers/evaluate_models",
        "errors_are_possible_minutes",
        {**TRAINED, "metrics": {"model": {"mae": 0.0, "rmse": 0.0}}},
    ),
    (
        "transformers/gate",
        "the_decision_has_a_reason_and_is_stored",
        {**GATED, "decision": {**DECIDED, "reason": ""}},
    ),
    (
        "transformers/gate",
        "the_decision_has_a_reason_and_is_stored",
        {**GATED, "decision": {**DECIDED, "page": ""}},
    ),
    (
        "data_exporters/register_model",
        "nothing_is_promoted_against_the_gate",
        {**GATED, "promoted": True},
    ),
    ("transformers/score_trips", SCORING, {**SCORED, "reference_months": ["2019-02", "2019-03"]}),
    ("transformers/score_trips", SCORING, {**SCORED, "scored": {"current": "c"}}),
    ("transformers/score_trips", SCORING, {**SCORED, "model_version": ""}),
    ("data_exporters/record_drift", "figures_were_recorded", {"recorded": 0, "drifted_share": 0.2}),
    ("data_exporters/record_drift", "figures_were_recorded", {"recorded": 9, "drifted_share": 1.2}),
    (
        "data_exporters/judge_retraining",
        "the_decision_has_a_reason",
        {"retrain": {**WANTED, "reason": ""}},
    ),
    (
        "data_exporters/judge_retraining",
        "what_is_wanted_is_written_down",
        {"retrain": {**WANTED, "number": 0}},
    ),
    ("data_exporters/queue_retraining", "a_run_was_queued", {"retraining_run": ""}),
]


@pytest.mark.parametrize(("block", "test", "output"), ACCEPTED)
def test_what_is_right_is_accepted(
    check: Callable[..., None], block: str, test: str, output: dict[str, Any]
) -> None:
    check(block, test, output)


@pytest.mark.parametrize(("block", "test", "output"), REFUSED)
def test_what_is_wrong_is_refused(
    check: Callable[..., None], block: str, test: str, output: dict[str, Any]
) -> None:
    with pytest.raises(AssertionError):
        check(block, test, output)


# Those of retraining need Mage itself before they look at it.
HANDED: list[str] = [
    *(f"transformers/{name}" for name in ("clean_trips", "build_features", "train_models")),
    *(f"transformers/{name}" for name in ("evaluate_models", "gate", "score_trips")),
    *(f"transformers/{name}" for name in ("drift_report", "compare_window")),
    *(f"data_exporters/{name}" for name in ("register_model", "export_report", "record_drift")),
    *(f"data_exporters/{name}" for name in ("record_truth", "record_window")),
]


@pytest.mark.parametrize("block", HANDED)
def test_a_block_says_that_what_was_handed_on_to_it_is_gone(
    check: Callable[..., None], block: str
) -> None:
    with pytest.raises(PipelineError, match="is gone from Mage's folder"):
        check(block, Path(block).name, [])
