"""The source of trips, decided when the stack starts."""

from pathlib import Path

import pytest

from taxi_duration.settings import load_settings
from taxi_duration.stack.source import decide_source
from taxi_duration.stack.stack import Stack


@pytest.mark.parametrize("given", ["city", "simulated", "http://127.0.0.1:9999"])
def test_a_source_that_was_asked_for_stays(tmp_path: Path, given: str) -> None:
    settings = load_settings(home=tmp_path, city_api=given)
    assert decide_source(settings).city_api == given


def test_after_the_decision_nothing_is_automatic_any_more(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, city_api="auto")
    assert decide_source(settings).city_api in {"city", "simulated"}


@pytest.mark.parametrize(("source", "stand_in"), [("simulated", True), ("city", False)])
def test_the_stand_in_is_a_part_only_where_trips_are_simulated(
    tmp_path: Path, source: str, stand_in: bool
) -> None:
    stack = Stack(load_settings(home=tmp_path, city_api=source))
    assert ("city-api" in stack.status()) is stand_in
