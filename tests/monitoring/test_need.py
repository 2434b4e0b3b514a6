from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from monitored import figures, scored_trips
from taxi_duration.monitoring.judged_months import JudgedMonth, Limits, judged_month
from taxi_duration.monitoring.need import Answered, Need, Rule, need

NOW = datetime(2019, 6, 2, tzinfo=UTC)
LIMITS = Limits(error_ratio=1.2, missing=0.1)
RULE = Rule(limits=LIMITS, months=3, over=2, cooldown=timedelta(days=7))
CALM = JudgedMonth(
    month="2019-03",
    model_version="3",
    compared_columns=7,
    drifted_columns=["hour"],
    threshold=0.5,
    mae=3.6,
    reference_mae=3.5,
    minutes=16.0,
    reference_minutes=16.0,
    missing={"pickup_community_area": 0.01},
)


def month(name: str, **changes: Any) -> JudgedMonth:
    return msgspec.structs.replace(CALM, month=name, **changes)


def slow(name: str, **changes: Any) -> JudgedMonth:
    return month(name, **{"mae": 4.9, **changes})


def asked(*windows: JudgedMonth, last: Answered | None = None) -> Need:
    return need(list(windows), RULE, last, NOW)


def test_calm_months_need_nothing() -> None:
    found = asked(month("2019-03"), month("2019-04"), month("2019-05"))
    assert (found.status, found.reason) == ("none", "2019-05 is under its thresholds.")


@pytest.mark.parametrize("earlier", ["2019-03", "2019-04"])
def test_two_of_three_months_with_the_latest_queue_a_retraining(earlier: str) -> None:
    windows = [slow(n) if n == earlier else month(n) for n in ("2019-03", "2019-04")]
    found = asked(*windows, slow("2019-05"))
    assert found.status == "queued"
    said = (
        "the error is 4.90 minutes or 31% of a trip, 1.40 times the 22% of the trips that model 3"
        " learned"
    )
    assert found.reason == f"{earlier}: {said}; 2019-05: {said}"


def test_longer_trips_may_have_larger_errors() -> None:
    longer = [slow(name, minutes=22.0) for name in ("2019-04", "2019-05")]
    assert asked(*longer).status == "none"


def test_one_month_over_is_not_enough() -> None:
    found = asked(month("2019-04"), slow("2019-05"))
    assert found == Need("none", "1 of the last 3 months over a threshold, 2 needed.")


def test_months_before_a_calm_latest_one_are_over() -> None:
    assert asked(slow("2019-03"), slow("2019-04"), month("2019-05")).status == "none"


def test_a_month_further_back_than_the_last_three_does_not_count() -> None:
    windows = slow("2019-02"), month("2019-03"), month("2019-04"), slow("2019-05")
    assert asked(*windows).status == "none"


def test_drift_of_half_the_columns_counts_as_much_as_error() -> None:
    drifted = ["trip_miles", "prediction", "trip_minutes", "hour"]
    windows = [month(name, drifted_columns=drifted) for name in ("2019-04", "2019-05")]
    found = asked(*windows)
    assert found.status == "queued"
    assert "4 of 7 columns drifted (trip_miles, prediction, trip_minutes, hour)" in found.reason


def test_within_the_cool_down_it_is_refused_with_the_reason() -> None:
    last = Answered("2019-03", NOW - timedelta(days=6))
    found = asked(slow("2019-04"), slow("2019-05"), last=last)
    assert found.status == "refused"
    assert "2019-05-27 00:00 UTC, less than 7 days ago" in found.reason
    last = Answered("2019-03", NOW - timedelta(days=7))
    assert asked(slow("2019-04"), slow("2019-05"), last=last).status == "queued"


def test_months_that_a_retraining_has_answered_count_no_more() -> None:
    last = Answered("2019-04", NOW - timedelta(days=60))
    assert asked(slow("2019-04"), slow("2019-05"), last=last).status == "none"


def test_damaged_data_are_no_reason_to_train() -> None:
    gaps = {"pickup_community_area": 0.5, "dropoff_community_area": 0.02}
    found = asked(slow("2019-04", missing=gaps), slow("2019-05", missing=gaps))
    assert found.status == "refused"
    assert "2019-05: pickup_community_area is missing in 50% more of the trips" in found.reason


def test_a_month_that_judges_no_model_leads_to_no_training() -> None:
    windows = [slow(name, model_version="floor") for name in ("2019-04", "2019-05")]
    assert asked(*windows) == Need("none", "The floor table scored 2019-05: it judges no model.")


def test_the_figures_of_a_report_make_a_window() -> None:
    made = judged_month(figures())
    assert (made.month, made.model_version, made.drifted_columns) == (
        "2019-03",
        "3",
        ["trip_minutes"],
    )
    assert made.drifted_share == pytest.approx(1 / 3)
    assert made.error_ratio == pytest.approx(
        (made.mae / made.minutes) / (made.reference_mae / made.reference_minutes)
    )
    assert made.minutes == pytest.approx(scored_trips(300)["trip_seconds"].to_numpy().mean() / 60)
    assert max(made.missing.values()) < 0.1
