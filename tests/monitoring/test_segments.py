import numpy as np
import pyarrow as pa
import pytest

from monitored import scored_trips, with_column
from taxi_duration.monitoring import segments
from taxi_duration.monitoring.performance import performance
from taxi_duration.monitoring.segments import segment_performance


def test_all_trips_are_a_segment_and_say_what_the_whole_says() -> None:
    trips = scored_trips(3_000).append_column("floor", pa.array(np.full(3_000, 12.0)))
    whole, every = segment_performance(trips)[0], performance(trips)
    assert whole.segment == "all"
    for name in segments._MEANS:
        assert getattr(whole, name) == pytest.approx(getattr(every, name)), name


def test_batches_do_not_change_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    trips = scored_trips(1_000)
    at_once = segment_performance(trips)
    monkeypatch.setattr(segments, "BATCH", 300)
    for one, other in zip(segment_performance(trips), at_once, strict=True):
        assert (one.segment, one.trips) == (other.segment, other.trips)
        assert one.mae == pytest.approx(other.mae)
        assert one.coverage_80 == pytest.approx(other.coverage_80)


def test_a_segment_has_the_figures_of_its_own_trips() -> None:
    trips = scored_trips(2_000)
    unknown = trips.filter(trips["dropoff_community_area"].is_null())
    (found,) = [one for one in segment_performance(trips) if one.segment == "dropoff unknown"]
    assert found.trips == unknown.num_rows
    assert found.mae == pytest.approx(performance(unknown).mae)


def test_what_was_not_predicted_is_absent_and_never_good() -> None:
    trips = scored_trips(500)
    for name in ("lower", "upper"):
        trips = with_column(trips, name, pa.nulls(500, pa.float64()))
    for one in segment_performance(trips):
        assert (one.coverage_80, one.interval_width, one.floor_mae) == (None, None, None)
        assert one.mae > 0


def test_a_segment_without_trips_is_not_there() -> None:
    trips = with_column(
        scored_trips(300), "pickup_community_area", pa.array(np.full(300, 8), pa.int16())
    )
    assert "from an airport" not in {one.segment for one in segment_performance(trips)}
    assert segment_performance(trips.slice(0, 0)) == []
