from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from taxi_duration.model.baselines import BASELINES, MIN_TRIPS, fit_floor
from taxi_duration.model.dataset import Sample
from taxi_duration.model.features import feature_row
from taxi_duration.model.metrics import point_metrics
from taxi_duration.model.training import PARAMETERS, fit
from trips_factory import make_trips, model_info, sample

MONDAY_9H = datetime(2019, 3, 4, 9, 30)
MONDAY_17H = datetime(2019, 3, 4, 17, 0)
# Trips of that day; the file is in the order of time.
EIGHTH_OF_JANUARY = 40_907
SUNDAY_9H = datetime(2019, 3, 3, 9, 0)


def trips(*rows: tuple[int | None, int | None, datetime, float]) -> Sample:
    features = np.vstack([feature_row(*row[:3]) for row in rows])
    return Sample(features, np.array([row[3] for row in rows]))


@pytest.fixture(scope="module")
def history() -> Sample:
    return sample(make_trips(["2019-01", "2019-02"], count=2_000))


@pytest.fixture(scope="module")
def later() -> Sample:
    return sample(make_trips("2019-03", count=1_000))


@pytest.fixture(scope="module")
def january(shared_data: Path) -> tuple[Sample, Sample]:
    """Real trips of 1 to 11 January 2019 of 1 to 60 minutes: before the 9th, and from then on."""
    raw = pq.read_table(shared_data / "2019_jan01_11_raw15min.parquet")
    seconds, start = raw["trip_seconds"], raw["trip_start_timestamp"]
    # The bounds themselves do not count: the table of known figures was made so.
    durations = pc.and_(pc.greater(seconds, 60), pc.less(seconds, 3600))
    earlier = pc.less(start, pa.scalar(datetime(2019, 1, 9)))
    return (
        sample(raw.filter(pc.and_(durations, earlier))),
        sample(raw.filter(pc.and_(durations, pc.invert(earlier)))),
    )


def test_the_floor_falls_back_from_group_to_pair_to_pickup_to_all() -> None:
    known = [
        *[(8, 32, MONDAY_9H, minutes) for minutes in (9.0, 10.0, 11.0)],
        *[(8, 32, SUNDAY_9H, minutes) for minutes in (5.0, 6.0)],
        *[(6, pickup, MONDAY_17H, 30.0) for pickup in (1, 2, 3)],
    ]
    floor = fit_floor(trips(*known))
    asked = trips(
        (8, 32, MONDAY_9H, 0),
        (8, 32, SUNDAY_9H, 0),  # two trips do not make a group
        (6, 77, MONDAY_17H, 0),
        (6, 77, MONDAY_9H, 0),
        (50, 51, MONDAY_9H, 0),
    )
    assert floor.predict(asked.features).tolist() == [10, 9, 30, 30, 10.5]


def test_unknown_areas_are_a_pair_of_their_own() -> None:
    known = [(None, 32, MONDAY_9H, 40.0), (8, 32, MONDAY_9H, 10.0), (8, None, MONDAY_9H, 20.0)]
    table = BASELINES["pair_median"].fit(trips(*known * MIN_TRIPS), 0)
    asked = trips((None, 32, SUNDAY_9H, 0), (8, None, SUNDAY_9H, 0), (None, None, SUNDAY_9H, 0))
    assert table.predict(asked.features).tolist() == [40, 20, 40]


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_answers_every_trip_the_same_again(
    name: str, history: Sample, later: Sample
) -> None:
    baseline = BASELINES[name]
    minutes = baseline.fit(history, 1).predict(later.features)
    assert minutes.shape == later.minutes.shape
    assert np.isfinite(minutes).all()
    np.testing.assert_array_equal(minutes, baseline.fit(history, 1).predict(later.features))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mae", "rmse"),
    # Measured once, by others, on the same rows.
    [
        ("pair_median", 3.960, 6.342),
        ("floor", 3.708, 5.942),
        ("linear_regression", 4.959, 7.369),
        ("extra_trees", 4.043, 6.158),
    ],
)
def test_on_real_trips_the_baselines_are_as_good_as_is_known(
    name: str, mae: float, rmse: float, january: tuple[Sample, Sample]
) -> None:
    train, test = january
    metrics = point_metrics(test.minutes, BASELINES[name].fit(train, 42).predict(test.features))
    assert metrics["mae"] == pytest.approx(mae, rel=0.005)
    assert metrics["rmse"] == pytest.approx(rmse, rel=0.012)


@pytest.mark.slow
def test_on_one_day_of_real_trips_the_model_beats_the_floor(
    january: tuple[Sample, Sample],
) -> None:
    train, test = january
    day = Sample(train.features[-EIGHTH_OF_JANUARY:], train.minutes[-EIGHTH_OF_JANUARY:])
    cut = EIGHTH_OF_JANUARY * 7 // 8
    model = fit(
        Sample(day.features[:cut], day.minutes[:cut]),
        Sample(day.features[cut:], day.minutes[cut:]),
        model_info(parameters=PARAMETERS),
    )
    floor = point_metrics(test.minutes, fit_floor(day).predict(test.features))
    assert floor["mae"] == pytest.approx(3.897, rel=0.005)
    predicted = model.predict(test.features)[:, 1]
    assert point_metrics(test.minutes, predicted)["mae"] < 0.99 * floor["mae"]
