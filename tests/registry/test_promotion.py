import pytest

from taxi_duration.registry.promotion import Challenger, Comparison, decide

CHALLENGER = Challenger("m-1", "run", "simulated", ["2019-01"], {"mae": 3.6}, floor_mae=3.7)
CHAMPION = Comparison(version="2", source="simulated", mae=3.65)


def test_without_a_champion_a_model_better_than_the_floor_is_promoted() -> None:
    decision = decide(CHALLENGER, Comparison(), replace_source=False)
    assert decision.promoted
    assert decision.reason == (
        "MAE 3.600 min is better than the 3.700 min of the floor (there is no champion yet)."
    )


@pytest.mark.parametrize("floor", [3.6, 3.5])
def test_without_a_champion_a_model_no_better_than_the_floor_is_refused(floor: float) -> None:
    decision = decide(CHALLENGER._replace(floor_mae=floor), Comparison(), replace_source=False)
    assert not decision.promoted
    assert "not better than" in decision.reason


def test_a_model_better_than_the_champion_is_promoted() -> None:
    decision = decide(CHALLENGER, CHAMPION, replace_source=False)
    assert decision.promoted
    assert "champion 2" in decision.reason


@pytest.mark.parametrize("mae", [3.6, 3.5])
def test_a_model_equal_to_or_worse_than_the_champion_is_refused(mae: float) -> None:
    decision = decide(CHALLENGER, CHAMPION._replace(mae=mae), replace_source=False)
    assert not decision.promoted
    assert f"not better than the {mae:.3f} min of champion 2" in decision.reason


def test_a_better_model_of_another_source_is_refused() -> None:
    decision = decide(CHALLENGER, CHAMPION._replace(source="city"), replace_source=False)
    assert not decision.promoted
    assert "replace_source" in decision.reason


@pytest.mark.parametrize(("mae", "promoted"), [(3.65, True), (3.55, False)])
def test_where_it_may_replace_another_source_it_still_has_to_be_better(
    mae: float, promoted: bool
) -> None:
    champion = CHAMPION._replace(source="city", mae=mae)
    assert decide(CHALLENGER, champion, replace_source=True).promoted == promoted


@pytest.mark.parametrize(("floor", "promoted"), [(3.7, True), (3.5, False)])
def test_a_champion_that_cannot_be_scored_makes_the_floor_the_rival(
    floor: float, promoted: bool
) -> None:
    champion = CHAMPION._replace(mae=0.0, fault="its hash is another one")
    decision = decide(CHALLENGER._replace(floor_mae=floor), champion, replace_source=False)
    assert decision.promoted == promoted
    assert "its hash is another one" in decision.reason
