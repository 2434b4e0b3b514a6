import time
from typing import Any

import pytest

from taxi_duration.model import duration_model
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.pipeline.judging import milliseconds_per_trip
from trips_factory import small_model

SLOW = 0.004


def test_a_slow_model_is_measured_as_slow_though_it_keeps_its_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fast = duration_model._minutes

    def slow(*given: Any) -> Any:
        time.sleep(SLOW)
        return fast(*given)

    monkeypatch.setattr(duration_model, "_minutes", slow)
    model = DurationModel(small_model().boosters, small_model().info)
    model.prepare_rows()
    model.check()
    assert milliseconds_per_trip(model) >= 1_000 * SLOW
