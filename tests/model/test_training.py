from pathlib import Path

import numpy as np
import pytest

from taxi_duration.areas import LOOP, MIDWAY, OHARE
from taxi_duration.errors import NoTripsError
from taxi_duration.model.dataset import Sample
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.model.features import FEATURES
from taxi_duration.model.metrics import interval_metrics, point_metrics
from taxi_duration.model.training import fit, importance
from trips_factory import make_trips, model_info, sample, small_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def parts() -> tuple[Sample, Sample]:
    return tuple(sample(make_trips(month, count=1_500)) for month in ("2019-01", "2019-02"))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def model(parts: tuple[Sample, Sample]) -> DurationModel:
    return fitted(parts)


def fitted(parts: tuple[Sample, Sample], **changes: object) -> DurationModel:
    return fit(*parts, model_info(**changes))


def test_the_same_trips_and_seed_give_the_same_text(
    parts: tuple[Sample, Sample], model: DurationModel
) -> None:
    again = fitted(parts)
    assert again.texts() == model.texts()
    assert again.info == model.info


def test_other_trips_give_another_text(parts: tuple[Sample, Sample], model: DurationModel) -> None:
    train, calibration = parts
    fewer = Sample(train.features[1:], train.minutes[1:])
    assert fitted((fewer, calibration)).texts() != model.texts()


def test_the_interval_holds_four_of_five_later_trips() -> None:
    later = sample(make_trips("2019-03", count=4_000))
    lower, predicted, upper = small_model().predict(later.features).T
    assert 0.77 < interval_metrics(later.minutes, lower, upper)["coverage_80"] < 0.83
    # The noise of these trips leaves no less: 20% of 20 minutes, as a mean absolute error.
    assert point_metrics(later.minutes, predicted)["mae"] < 4


def test_calibration_widens_the_interval_of_a_month_that_turned_out_longer(
    parts: tuple[Sample, Sample], model: DurationModel
) -> None:
    train, calibration = parts
    longer = Sample(calibration.features, calibration.minutes * 1.5)
    assert fitted((train, longer)).info.interval_margin > model.info.interval_margin


@pytest.mark.parametrize(("train", "calibration"), [(1, 1), (0, 1), (1, 0), (0, 0)])
def test_too_few_trips_to_fit_every_part_are_told_with_a_remedy(
    parts: tuple[Sample, Sample], train: int, calibration: int
) -> None:
    days, later = parts
    few = Sample(days.features[:train], days.minutes[:train])
    calibrating = Sample(later.features[:calibration], later.minutes[:calibration])
    with pytest.raises(NoTripsError, match=r"too few trips.*Train on more trips"):
        fitted((few, calibrating))


def test_every_golden_trip_is_answered_alike_after_load_and_as_its_distance_says(
    model: DurationModel, tmp_path: Path
) -> None:
    model.save(tmp_path)
    loaded = DurationModel.load(tmp_path)
    found = {}
    for trip in model.info.golden:
        pair = trip.pickup_community_area, trip.dropoff_community_area
        assert loaded.answer(*pair, trip.trip_start_timestamp) == trip.answer
        found[pair] = trip.answer.prediction
    # Made trips take 5 minutes and 2.5 a mile, in rush hours 40% more, at airports 10 less.
    for pair in ((OHARE, LOOP), (LOOP, OHARE)):
        assert 30 < found[pair] < 55
    assert 12 < found[MIDWAY, 8] < 30
    assert 4 < found[8, 8] < 8
    assert 4 < found[None, None] < 12


def test_distance_matters_most() -> None:
    shares = importance(small_model())
    assert tuple(shares) == FEATURES
    assert np.isclose(sum(shares.values()), 1)
    assert max(shares, key=lambda name: shares[name]) == "miles"
