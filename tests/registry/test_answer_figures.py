"""What a decision says of answers with an interval: width, pinball loss, and who comes late."""

import re

import msgspec

from decided import decided
from taxi_duration.registry.decision_page import page
from taxi_duration.registry.gate import GateDecision


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_page_tells_both_sides_width_pinball_loss_and_late_share() -> None:
    shown = text(page(decided()))
    assert "width of the interval, minutes 11.10 11.60" in shown
    assert "pinball loss, minutes 1.162 1.181" in shown
    assert "5 minutes late or more 14.8% 15.1%" in shown


def test_a_rival_without_an_interval_has_no_such_figures() -> None:
    shown = text(page(decided(rival_coverage_80=None, rival_answers=None)))
    assert "pinball loss, minutes 1.162 5 minutes late or more 14.8%" in shown


def test_the_stored_decision_has_them() -> None:
    decision = decided()
    stored = msgspec.json.decode(msgspec.json.encode(decision), type=GateDecision)
    assert stored == decision
    assert stored.figures
    assert stored.figures.answers.late_5 == 0.148
