"""The rules of the gate, one by one; whole models are judged in tests/pipeline/test_gate.py."""

import msgspec
import pytest

from decided import CANDIDATE, CHAMPION, FIGURES, ROWS, RULES, decided
from taxi_duration.model.comparison import SegmentFigures
from taxi_duration.registry.gate import GateDecision, Rival, void

AIRPORT = SegmentFigures("from an airport", 900, 6.4, 6.0, 0.78)


def broken(decision: GateDecision) -> list[str]:
    return [check.name for check in decision.checks if not check.passed]


def test_a_candidate_that_keeps_every_rule_is_promoted() -> None:
    decision = decided()
    assert decision.promoted
    assert not broken(decision)
    assert decision.reason == (
        "MAE 3.600 min against 3.700 min of champion 2: 0.100 min better; with 95% confidence the"
        " gain is at least +0.080 min, and more than +0.010 min is asked for."
    )


@pytest.mark.parametrize(
    ("gain", "least", "word"),
    [
        (-0.1, -0.12, "0.100 min worse"),
        (0.0, 0.0, "no difference"),
        (0.05, -0.01, "0.050 min better"),
        (0.02, 0.01, "0.020 min better"),
    ],
)
def test_a_candidate_is_refused_unless_it_is_surely_better_by_the_margin(
    gain: float, least: float, word: str
) -> None:
    decision = decided(gain=gain, least_gain=least)
    assert not decision.promoted
    assert broken(decision) == ["error"]
    assert word in decision.reason


@pytest.mark.parametrize(
    ("trips", "hours", "kept"), [(500, 24, True), (499, 24, False), (500, 23, False), (9, 3, False)]
)
def test_few_trips_or_trips_of_few_hours_do_not_take_the_champion_s_place(
    trips: int, hours: int, kept: bool
) -> None:
    rows = msgspec.structs.replace(ROWS, trips=trips, hours=hours)
    decision = decided(rows=rows)
    assert decision.promoted is kept
    assert broken(decision) == ([] if kept else ["enough trips"])
    assert kept or decision.reason.startswith(
        f"They are compared on {trips} trips in {hours} hours; against a champion 500 trips in 24"
        " hours are asked for"
    )


@pytest.mark.parametrize("rival", [Rival(), Rival(version="2", source="simulated", fault="torn")])
def test_where_no_champion_can_be_scored_a_few_trips_are_enough_to_beat_the_floor(
    rival: Rival,
) -> None:
    rows = msgspec.structs.replace(ROWS, trips=9, hours=1)
    decision = decided(rows=rows, rival=rival, rival_coverage_80=None)
    assert decision.promoted
    assert "9 trips in 1 hour;" in next(c.said for c in decision.checks if c.name == "enough trips")


def test_a_candidate_that_is_bad_in_one_large_segment_is_refused_however_good_it_is_overall() -> (
    None
):
    decision = decided(segments=[*FIGURES.segments, AIRPORT])
    assert broken(decision) == ["segments"]
    assert "from an airport: 6.400 min against 6.000 min (+6.7%)" in decision.reason


def test_of_many_bad_segments_the_worst_three_are_told() -> None:
    many = [SegmentFigures(f"part {n}", 900, 6.0 + n, 6.0, 0.8) for n in range(1, 6)]
    reason = decided(segments=many).reason
    assert "In 5 of 5 segments" in reason
    assert reason.index("part 5") < reason.index("part 4") < reason.index("part 3")
    assert "part 2" not in reason


@pytest.mark.parametrize(("held", "champion", "kept"), [
    (0.74, 0.80, True),
    (0.86, 0.80, True),
    (0.73, 0.80, False),
    (0.87, 0.80, False),
    (0.70, 0.60, True),
    (0.60, 0.70, False),
])  # fmt: skip
def test_the_interval_holds_what_it_should_or_more_nearly_than_the_champions(
    held: float, champion: float, kept: bool
) -> None:
    decision = decided(coverage_80=held, rival_coverage_80=champion)
    assert decision.promoted is kept
    assert broken(decision) == ([] if kept else ["coverage"])


def test_a_candidate_that_is_too_slow_is_refused() -> None:
    decision = decided(milliseconds=20.5)
    assert broken(decision) == ["speed"]
    assert "20.50 ms" in decision.reason


def test_a_candidate_that_is_not_whole_is_refused_without_figures() -> None:
    fault = "prediction.txt is not the file that was saved."
    candidate = msgspec.structs.replace(CANDIDATE, fault=fault)
    decision = decided(candidate=candidate, figures=None)
    assert (decision.promoted, decision.reason) == (False, fault)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_better_model_of_another_source_is_promoted_only_when_told_to(allowed: bool) -> None:
    rules = msgspec.structs.replace(RULES, replace_source=allowed)
    decision = decided(rival=Rival(version="2", source="city"), rules=rules)
    assert decision.promoted is allowed
    assert broken(decision) == ([] if allowed else ["source"])
    assert allowed or "replace_source" in decision.reason


@pytest.mark.parametrize("rival", [Rival(), Rival(version="2", source="simulated", fault="torn")])
@pytest.mark.parametrize(("floor", "promoted"), [(3.7, True), (3.6, False), (3.5, False)])
def test_where_no_champion_can_be_scored_the_floor_has_to_be_beaten(
    rival: Rival, floor: float, promoted: bool
) -> None:
    decision = decided(
        rival=rival, rival_mae=floor, least_gain=-0.1, rival_coverage_80=None, segments=[AIRPORT]
    )
    assert decision.promoted is promoted
    assert str(rival) in decision.reason
    assert not rival.fault or "champion 2 fails: torn" in decision.reason


def test_all_reasons_of_a_refusal_are_told() -> None:
    decision = decided(least_gain=-1.0, coverage_80=0.5, milliseconds=99.0)
    assert broken(decision) == ["error", "coverage", "speed"]
    assert len(decision.reasons) == 3


def test_a_decision_is_void_once_another_version_serves() -> None:
    late = void(decided(), "5")
    assert not late.promoted
    assert late.reason == (
        "The candidate was compared with champion 2, and now it is 5: the comparison says nothing"
        " of that."
    )


def test_a_decision_can_be_stored_and_read_again() -> None:
    decision = decided(rival=CHAMPION, notes=["A note."])
    assert msgspec.json.decode(msgspec.json.encode(decision), type=GateDecision) == decision
