from datetime import datetime, timedelta

import numpy as np
import pytest

from taxi_duration.model.dataset import Sample
from taxi_duration.model.features import FEATURES, Floats, feature_row
from taxi_duration.model.history import column, known_calendar, lost_areas, recency
from taxi_duration.model.training import PARAMETERS, fit
from trips_factory import model_info

FIRST = datetime(2019, 1, 1, 12)


def trips(days: int, a_day: int = 40, unknown: dict[int, int] | None = None) -> Floats:
    """Trips of each day; `unknown` says how many of a day's have no pickup, else 2."""
    return np.vstack(
        [
            feature_row(
                None if number < (unknown or {}).get(day, 2) else 8, 32, FIRST + timedelta(day)
            )
            for day in range(days)
            for number in range(a_day)
        ]
    )


def test_a_trip_counts_half_as_much_after_a_half_life() -> None:
    weights = recency(trips(61, a_day=1), 30)
    assert weights[[60, 30, 0]].tolist() == [1, 0.5, 0.25]


def test_missing_areas_count_except_on_days_when_the_source_lost_some() -> None:
    features = trips(10, unknown={4: 30})
    lost = lost_areas(features)
    assert lost.sum() == 30
    assert np.unique(column(features, "day")[lost] - column(features, "day")[0]).tolist() == [4]


def test_a_few_more_missing_areas_than_usual_are_chance() -> None:
    assert not lost_areas(trips(10, unknown={4: 5})).any()


def test_no_area_is_lost_where_none_is_missing_or_all_are() -> None:
    assert not lost_areas(trips(5, unknown=dict.fromkeys(range(5), 0))).any()
    assert not lost_areas(trips(5, unknown=dict.fromkeys(range(5), 40))).any()


@pytest.mark.parametrize(
    ("days", "names"),
    [(1, set()), (13, set()), (14, {"weekday"}), (400, {"weekday"}), (730, {"weekday", "month"})],
)
def test_the_calendar_counts_where_it_was_seen_twice(days: int, names: set[str]) -> None:
    features = trips(days, a_day=1)
    kept = known_calendar(features)
    cyclic = {"weekday", "month"}
    assert {name for name in cyclic if column(kept, name).any()} == names
    assert not column(kept, "day").any()
    untouched = [n for n, name in enumerate(FEATURES) if name not in {*cyclic, "day"}]
    np.testing.assert_array_equal(kept[:, untouched], features[:, untouched])


def test_a_model_of_one_week_answers_any_weekday_and_any_year_alike() -> None:
    features = trips(7)
    minutes = 10 + 5 * (column(features, "weekday") == 1)
    model = fit(
        Sample(features[:-40], minutes[:-40]),
        Sample(features[-40:], minutes[-40:]),
        model_info(parameters={**PARAMETERS, "rounds": 30, "interval_rounds": 10}),
    )
    tuesday, thursday = (model.answer(8, 32, datetime(2019, 1, day, 12)) for day in (8, 10))
    assert tuesday == thursday == model.answer(8, 32, datetime(2031, 1, 9, 12))
