"""What `taxi live` says of a run; one is started in tests/cli/test_pipeline.py."""

from typing import Any

from taxi_duration.cli.live import summary

NOTHING = {"html": "", "url": ""}


def result(drift: list[dict[str, Any]], **exported: str) -> dict[str, Any]:
    shares = {"unseen_pairs_share": 0.004, "missing_areas_share": 0.08}
    figures = {"predictions": 1_240, "drift": drift, "p50_ms": 1.84, **shares}
    return {"figures": figures, "exported": {**NOTHING, **exported}}


def test_a_window_without_traffic_is_told_as_that() -> None:
    assert summary({"figures": {"predictions": 0}, "exported": NOTHING}) == "nothing was asked"


def test_drifted_columns_are_named_and_the_page_follows() -> None:
    drift = [
        {"column_name": "prediction", "drifted": True},
        {"column_name": "pickup_community_area", "drifted": False},
    ]
    assert summary(result(drift, html="s3://b/drift.html", url="http://mlflow/")) == (
        "1,240 predictions; drift in 1 of 2 columns (prediction); unseen pairs 0.4%;"
        " missing areas 8.0%; half of the requests answered within 1.8 ms\nhttp://mlflow/"
    )


def test_a_window_that_was_not_compared_is_no_good_news() -> None:
    assert "too few to compare" in summary(result([]))
