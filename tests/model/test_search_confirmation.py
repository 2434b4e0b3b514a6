"""A search's winner has to be better on trips that had no part in the search."""

from functools import cache

import pytest

from taxi_duration.model.search import Found, History, Parameters, Trial, confirm
from taxi_duration.model.training import PARAMETERS
from trips_factory import make_trips, sample

KNOWN = {**PARAMETERS, "rounds": 40, "learning_rate": 0.15, "min_data_in_leaf": 20}
# Too few steps to get anywhere.
POOR = {**KNOWN, "rounds": 2}


@cache
def months() -> History:
    january, february = make_trips("2019-01", count=1_000), make_trips("2019-02", count=500)
    return History(sample(january), sample(february))


def found(parameters: Parameters) -> Found:
    best = Trial(1, "complete", {}, 3.0, {}, 40, 1.0, 0.0)
    return Found(parameters, best, [best])


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr("taxi_duration.model.search.PARAMETERS", request.param)


@pytest.mark.parametrize("known", [KNOWN], indirect=True)
@pytest.mark.usefixtures("known")
def test_a_winner_that_is_worse_on_later_trips_gives_way_to_the_known_parameters() -> None:
    confirmed = confirm(found(POOR), months(), seed=1)
    assert confirmed.kept_known
    assert confirmed.parameters == KNOWN
    assert confirmed.known_mae < confirmed.found_mae


@pytest.mark.parametrize("known", [POOR], indirect=True)
@pytest.mark.usefixtures("known")
def test_a_winner_that_is_better_on_later_trips_too_is_taken() -> None:
    confirmed = confirm(found(KNOWN), months(), seed=1)
    assert not confirmed.kept_known
    assert confirmed.parameters == KNOWN
    assert confirmed.found_mae < confirmed.known_mae


@pytest.mark.parametrize("known", [KNOWN], indirect=True)
@pytest.mark.usefixtures("known")
def test_a_winner_that_is_only_as_good_is_not_taken() -> None:
    assert confirm(found({**KNOWN}), months(), seed=1).kept_known
