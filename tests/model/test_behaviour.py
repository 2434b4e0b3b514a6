"""What must hold of any model of taxi trips: invariance, direction, minimum functionality.

Each statement is made of a model of the simulated city's January 2019 and of one of real trips of
that month.
"""

from datetime import date, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_duration.areas import AREAS, LOOP, MIDWAY, OHARE
from taxi_duration.model.dataset import trip_features
from taxi_duration.model.duration_model import Answer, DurationModel
from taxi_duration.model.features import Floats, feature_matrix
from taxi_duration.model.split import split_by_time
from taxi_duration.model.training import PARAMETERS, fit
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.source import Window
from taxi_duration.trips.clean import clean
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import REQUEST_COLUMNS, TRIP_SCHEMA, conform
from trips_factory import make_trips, model_info, sample

# Both models are fitted as in production.
pytestmark = pytest.mark.slow

JANUARY = Month(2019, 1)
REAL_TRIPS = "2019_jan01_11_raw15min.parquet"
# Enough of the real ones, and spread over their days.
MOST_TRIPS = 60_000
NEAR_NORTH_SIDE, NEAR_WEST_SIDE, LAKE_VIEW, LINCOLN_PARK, EDGEWATER = 8, 28, 6, 7, 77
ROGERS_PARK, AUSTIN, HEGEWISCH = 1, 25, 55
# Where most trips within one area are.
BUSY = (LOOP, NEAR_NORTH_SIDE, NEAR_WEST_SIDE, LAKE_VIEW, LINCOLN_PARK, EDGEWATER)
UNKNOWN_PAIRS = ((None, LOOP), (LOOP, None), (None, OHARE), (OHARE, None), (None, None))

# Of each golden trip, the least and the most that its median may be.
GOLDEN_MINUTES = {
    (OHARE, LOOP): (25, 70),
    (LOOP, OHARE): (25, 60),
    (MIDWAY, NEAR_NORTH_SIDE): (10, 35),
    (NEAR_NORTH_SIDE, NEAR_NORTH_SIDE): (2, 12),
    (None, NEAR_WEST_SIDE): (5, 45),
    (LAKE_VIEW, None): (5, 45),
    (None, None): (4, 30),
}


def wednesday(hour: int, minute: int = 0) -> datetime:
    """A working day that both models know."""
    return datetime(2019, 1, 9, hour, minute)


@cache
def simulated_trips() -> pa.Table:
    city = SimulatedCity(seed=7, trips_per_day=1_000, today=lambda: date(2026, 11, 22))
    days = city.parts(Window(JANUARY.start, JANUARY.end))
    return conform(pa.concat_tables(days))


@cache
def real_trips(folder: Path) -> pa.Table:
    trips = conform(pq.read_table(folder / REAL_TRIPS))
    rows = np.random.default_rng(0).choice(trips.num_rows, MOST_TRIPS, replace=False)
    return trips.take(np.sort(rows))


@cache
def model_of(folder: Path | None) -> DurationModel:
    """A model of the simulated trips, or of the real ones in a folder."""
    raw = real_trips(folder) if folder else simulated_trips()
    trips = clean(raw, JANUARY, min_minutes=1, max_minutes=60, max_bad_share=0.4).trips
    trips = trips.sort_by("trip_start_timestamp")
    starts = trips["trip_start_timestamp"].to_numpy()
    split = split_by_time(starts, starts[-1].item())
    train, calibration = (
        sample(trips.filter(pa.array(mask))) for mask in (split.train, split.calibration)
    )
    return fit(train, calibration, model_info(parameters=PARAMETERS, months=(str(JANUARY),)))


@pytest.fixture(params=["simulated", "real"])
def model(request: pytest.FixtureRequest) -> DurationModel:
    if request.param == "real":
        return model_of(request.getfixturevalue("shared_data"))
    return model_of(None)


def minutes(model: DurationModel, pickup: int, dropoff: int, start: datetime) -> float:
    return model.answer(pickup, dropoff, start).prediction


def every_pair(start: datetime) -> Floats:
    """The features of all pairs of areas, the unknown one (0) too."""
    areas = np.arange(len(AREAS) + 1)
    pickup, dropoff = (side.ravel() for side in np.meshgrid(areas, areas))
    return feature_matrix(pickup, dropoff, np.full(len(pickup), np.datetime64(start)))


# Invariance


@pytest.mark.parametrize("column", sorted({*TRIP_SCHEMA.names} - {*REQUEST_COLUMNS}))
def test_what_is_not_known_at_the_start_changes_nothing(model: DurationModel, column: str) -> None:
    trips = make_trips("2019-01", count=200)
    index, field = trips.column_names.index(column), TRIP_SCHEMA.field(column)
    shuffled = trips[column].take(pa.array(np.random.default_rng(1).permutation(len(trips))))
    empty = pa.nulls(len(trips), field.type)
    before = model.predict(trip_features(trips))
    for values in (shuffled, empty):
        after = model.predict(trip_features(trips.set_column(index, field, values)))
        np.testing.assert_array_equal(before, after)


def test_the_order_of_trips_changes_nothing(model: DurationModel) -> None:
    features = trip_features(make_trips("2019-01", count=200))
    forward, backward = (model.predict(rows) for rows in (features, features[::-1].copy()))
    np.testing.assert_array_equal(forward, backward[::-1])


def test_a_trip_alone_is_answered_as_among_others(model: DurationModel) -> None:
    features = trip_features(make_trips("2019-01", count=50))
    alone = np.vstack([model.predict(row.reshape(1, -1)) for row in features])
    np.testing.assert_array_equal(alone, model.predict(features))


def test_seconds_of_the_start_change_little(model: DurationModel) -> None:
    # The City rounds starts to 15 minutes; a passenger's request comes at any second.
    rounded, exact = (minutes(model, LOOP, OHARE, wednesday(12, m)) for m in (0, 1))
    assert exact == pytest.approx(rounded, abs=5)


# Direction


@pytest.mark.parametrize("hour", [3, 8, 12, 17, 22])
def test_farther_takes_longer(model: DurationModel, hour: int) -> None:
    places = (LOOP, NEAR_NORTH_SIDE, LINCOLN_PARK, EDGEWATER, OHARE)
    longer = [minutes(model, LOOP, place, wednesday(hour)) for place in places]
    assert longer == sorted(longer)
    assert longer[-1] > longer[0] + 10


@pytest.mark.parametrize(
    "pair",
    [
        (LOOP, OHARE),
        (OHARE, LOOP),
        (LOOP, LAKE_VIEW),
        (LOOP, NEAR_NORTH_SIDE),
        (NEAR_NORTH_SIDE, LOOP),
        (NEAR_WEST_SIDE, NEAR_NORTH_SIDE),
    ],
)
def test_the_evening_s_rush_takes_longer_than_noon_and_noon_than_the_night(
    model: DurationModel, pair: tuple[int, int]
) -> None:
    rush, noon, night = (minutes(model, *pair, wednesday(hour)) for hour in (17, 12, 3))
    assert rush > noon > night


def test_to_ohare_at_17_takes_minutes_longer_than_at_3(model: DurationModel) -> None:
    evening, night = (minutes(model, LOOP, OHARE, wednesday(hour)) for hour in (17, 3))
    assert evening > night + 5


def test_a_sunday_morning_is_faster_than_a_working_day_s(model: DurationModel) -> None:
    sunday = datetime(2019, 1, 6, 8)
    assert minutes(model, LOOP, OHARE, sunday) < minutes(model, LOOP, OHARE, wednesday(8))


# Minimum functionality


@pytest.mark.parametrize("hour", [8, 10, 12, 17, 20])
def test_from_ohare_to_the_loop_takes_25_to_70_minutes(model: DurationModel, hour: int) -> None:
    assert 25 <= minutes(model, OHARE, LOOP, wednesday(hour)) <= 70


@pytest.mark.parametrize("hour", [3, 12, 17])
def test_from_midway_to_the_loop_takes_12_to_45_minutes(model: DurationModel, hour: int) -> None:
    assert 12 <= minutes(model, MIDWAY, LOOP, wednesday(hour)) <= 45


@pytest.mark.parametrize("area", BUSY)
@pytest.mark.parametrize("hour", [3, 12, 17])
def test_a_trip_within_one_area_takes_a_few_minutes(
    model: DurationModel, area: int, hour: int
) -> None:
    assert 2 <= minutes(model, area, area, wednesday(hour)) <= 12


@pytest.mark.parametrize("hour", [0, 3, 8, 12, 17, 23])
def test_no_pair_gets_an_answer_that_no_trip_could_have(model: DurationModel, hour: int) -> None:
    lower, prediction, upper = model.predict(every_pair(wednesday(hour))).T
    assert lower.min() >= 1
    assert upper.max() <= 60
    assert (lower <= prediction).all()
    assert (prediction <= upper).all()
    assert np.isfinite(prediction).all()


@pytest.mark.parametrize("pair", UNKNOWN_PAIRS)
def test_an_unknown_area_gets_a_sensible_answer_that_is_less_certain(
    model: DurationModel, pair: tuple[int | None, int | None]
) -> None:
    unknown = model.answer(*pair, wednesday(12))
    known = model.answer(LOOP, NEAR_NORTH_SIDE, wednesday(12))
    assert 3 < unknown.prediction < 50
    assert width(unknown) > width(known)


@pytest.mark.parametrize("pair", [(HEGEWISCH, ROGERS_PARK), (AUSTIN, HEGEWISCH), (9, 55), (55, 9)])
def test_a_pair_that_hardly_anybody_rides_takes_long_where_it_is_far(
    model: DurationModel, pair: tuple[int, int]
) -> None:
    assert 20 <= minutes(model, *pair, wednesday(12)) <= 60


@pytest.mark.parametrize("start", [datetime(2013, 2, 5, 12), datetime(2031, 7, 4, 12)])
def test_another_year_or_season_changes_the_answer_by_minutes_at_most(
    model: DurationModel, start: datetime
) -> None:
    then, now = (minutes(model, OHARE, LOOP, moment) for moment in (start, wednesday(12)))
    assert then == pytest.approx(now, abs=15)


# Golden trips


def test_the_golden_trips_are_answered_as_when_the_model_was_fitted_by_one_that_was_loaded(
    model: DurationModel, tmp_path: Path
) -> None:
    model.save(tmp_path)
    loaded = DurationModel.load(tmp_path)
    for trip in model.info.golden:
        assert trip.answer == loaded.answer(
            trip.pickup_community_area, trip.dropoff_community_area, trip.trip_start_timestamp
        )


def test_every_golden_trip_takes_as_long_as_such_a_trip_does(model: DurationModel) -> None:
    answers = {
        (trip.pickup_community_area, trip.dropoff_community_area): trip.answer
        for trip in model.info.golden
    }
    assert answers.keys() == GOLDEN_MINUTES.keys()
    for pair, (least, most) in GOLDEN_MINUTES.items():
        assert least <= answers[pair].prediction <= most, pair
        assert answers[pair].lower < answers[pair].prediction < answers[pair].upper, pair


def test_the_golden_trips_know_airports_one_area_and_missing_ones(model: DurationModel) -> None:
    pairs = {(t.pickup_community_area, t.dropoff_community_area) for t in model.info.golden}
    assert {OHARE, LOOP, MIDWAY, None} <= {area for pair in pairs for area in pair}
    assert any(pickup == dropoff and pickup for pickup, dropoff in pairs)
    assert (None, None) in pairs


def test_a_saved_model_answers_as_the_fitted_one(model: DurationModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    features = every_pair(wednesday(17))
    np.testing.assert_array_equal(
        DurationModel.load(tmp_path).predict(features), model.predict(features)
    )


def width(answer: Answer) -> float:
    return answer.upper - answer.lower
