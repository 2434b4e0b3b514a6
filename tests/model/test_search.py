from functools import cache

import numpy as np
import optuna
import pytest
from optuna.storages import InMemoryStorage

from taxi_duration.errors import NoTripsError
from taxi_duration.model.dataset import Sample
from taxi_duration.model.search import (
    MOST_ROUNDS,
    REPORT_ROUNDS,
    SPACE,
    Budget,
    Found,
    Trial,
    known_point,
    rounds_for,
    search,
    study_name,
)
from taxi_duration.model.training import PARAMETERS
from trips_factory import make_trips, sample

pytestmark = pytest.mark.slow


@cache
def trips(count: int = 1_000) -> Sample:
    return sample(make_trips("2019-01", count=count))


@cache
def searched(seed: int = 7, trials: int = 14) -> Found:
    return search(InMemoryStorage(), "study", trips(), seed, Budget(trials))


def said(found: Found) -> list[tuple[object, ...]]:
    """All of the trials but when they were and how long they took."""
    return [(t.state, t.parameters, t.mae, t.curve, t.rounds) for t in found.trials]


def trial(seconds: float) -> Trial:
    return Trial(0, "complete", {}, 4.0, {}, 10, seconds, 0.0)


def test_the_first_trial_is_of_the_parameters_known_before() -> None:
    first = searched().trials[0]
    assert first.parameters == known_point()
    named = [name for name in SPACE if name in PARAMETERS]
    assert named
    assert all(first.parameters[name] == PARAMETERS[name] for name in named)


def test_what_is_found_is_no_worse_than_what_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    poor = {**PARAMETERS, "learning_rate": 0.3, "num_leaves": 255, "min_data_in_leaf": 10}
    monkeypatch.setattr("taxi_duration.model.search.PARAMETERS", poor)
    found = search(InMemoryStorage(), "study", trips(1_500), 7, Budget(6))
    complete = [t for t in found.trials if t.state == "complete"]
    assert found.best.mae == min(t.mae for t in complete) < found.trials[0].mae
    assert found.parameters == {**poor, **found.best.parameters, "rounds": found.best.rounds}


def test_a_smaller_learning_rate_has_more_rounds() -> None:
    rate, rounds = float(PARAMETERS["learning_rate"]), int(PARAMETERS["rounds"])
    assert rounds_for(rate) == rounds
    assert rounds_for(rate * 2) == pytest.approx(rounds / 2, abs=1)
    assert rounds_for(rate / 1_000) == MOST_ROUNDS


def test_where_nothing_better_is_found_the_known_parameters_stay() -> None:
    assert search(InMemoryStorage(), "study", trips(), 7, Budget(1)).parameters == PARAMETERS


def test_the_same_trips_seed_and_budget_make_the_same_trials() -> None:
    again = search(InMemoryStorage(), "study", trips(), 7, Budget(14))
    assert said(again) == said(searched())
    assert again.parameters == searched().parameters


def test_another_seed_makes_other_trials() -> None:
    assert said(searched(8))[1:] != said(searched())[1:]


def test_a_trial_that_falls_behind_is_cut_short_and_cannot_win() -> None:
    pruned = [t for t in searched().trials if t.state == "pruned"]
    assert pruned
    # It ended with a report, the last it made, long before a trial ends of itself.
    assert all(t.rounds == max(t.curve) and t.rounds % REPORT_ROUNDS == 0 for t in pruned)
    complete = [t for t in searched().trials if t.state == "complete"]
    assert min(t.mae for t in pruned) > searched().best.mae
    assert np.mean([t.rounds for t in pruned]) < np.mean([max(t.curve) for t in complete])


def test_a_search_that_goes_on_makes_the_trials_of_one_that_did_not_stop() -> None:
    storage = InMemoryStorage()
    search(storage, "study", trips(), 7, Budget(5))
    assert said(search(storage, "study", trips(), 7, Budget(14))) == said(searched())


def test_a_trial_that_was_interrupted_is_done_again() -> None:
    storage = InMemoryStorage()

    def interrupt(ended: Trial) -> None:
        if ended.number == 3:
            # As a killed process leaves it: begun, and never told.
            optuna.load_study(study_name="study", storage=storage).ask(dict(SPACE))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(storage, "study", trips(), 7, Budget(14), interrupt)
    told: list[Trial] = []
    found = search(storage, "study", trips(), 7, Budget(14), told.append)
    assert said(found) == said(searched())
    assert [t.number for t in told] == list(range(15))
    assert [t.number for t in told if t.state == "fail"] == [4]


def test_a_smaller_budget_sees_the_first_trials_of_a_larger_study_alone() -> None:
    storage = InMemoryStorage()
    search(storage, "study", trips(), 7, Budget(6))
    assert said(search(storage, "study", trips(), 7, Budget(3))) == said(searched(7, 3))


def test_seconds_end_a_search_after_the_trial_that_spends_them() -> None:
    found = search(InMemoryStorage(), "study", trips(), 7, Budget(seconds=0.2))
    spent = [t.seconds for t in found.trials]
    assert sum(spent[:-1]) < 0.2 <= sum(spent)


@pytest.mark.parametrize(
    ("budget", "trials"),
    [(Budget(3), 3), (Budget(seconds=25), 3), (Budget(9, 15), 2), (Budget(1, 15), 1)],
)
def test_a_budget_pays_for_trials_until_either_limit(budget: Budget, trials: int) -> None:
    ended = [trial(10.0)] * 5
    assert len(budget.paid_for(ended)) == trials


def test_the_later_trips_judge_and_are_not_fitted_on() -> None:
    cut = int(len(trips().minutes) * 0.8)
    minutes = trips().minutes.copy()
    minutes[cut:] = 60.0
    found = search(InMemoryStorage(), "study", trips()._replace(minutes=minutes), 7, Budget(1))
    # Fitted on them, a trial would come nearer to the 60 minutes that they all take.
    assert found.best.mae > 30


def test_a_study_has_the_name_of_its_trips_and_seed() -> None:
    name = study_name("simulated 2019-01", trips(), 7)
    assert name == study_name("simulated 2019-01", trips(), 7)
    assert name.startswith("simulated 2019-01 seed 7 ")
    later = trips()._replace(minutes=trips().minutes + 1)
    assert len({name, study_name("simulated 2019-01", later, 7)}) == 2
    assert name != study_name("simulated 2019-01", trips(), 8)


def test_too_few_trips_are_refused() -> None:
    one = Sample(*(column[:1] for column in trips()))
    with pytest.raises(NoTripsError):
        search(InMemoryStorage(), "study", one, 7, Budget(1))
