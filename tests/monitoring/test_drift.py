import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitored import scored_trips, with_column
from taxi_duration.monitoring.columns import compared
from taxi_duration.monitoring.drift import Comparison, compare, thresholds
from taxi_duration.monitoring.performance import performance


def drifted(reference: pa.Table, current: pa.Table) -> set[str]:
    return {c.column_name for c in compare_trips(reference, current).columns if c.drifted}


def compare_trips(reference: pa.Table, current: pa.Table) -> Comparison:
    return compare(compared(reference), compared(current), 0.5)


@pytest.fixture(scope="module")
def reference() -> pa.Table:
    return scored_trips(3_000, month="2019-02", seed=1)


@pytest.mark.slow
def test_the_same_trips_do_not_drift(reference: pa.Table) -> None:
    found = compare_trips(reference, reference).columns
    assert not any(column.drifted for column in found)
    assert max(column.score for column in found) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("rows", [150, 3_000])
@pytest.mark.slow
def test_another_month_of_the_same_city_does_not_drift(reference: pa.Table, rows: int) -> None:
    assert drifted(reference, scored_trips(rows, month="2019-03", seed=2)) == set()


@pytest.fixture(scope="module")
def slower() -> pa.Table:
    current = scored_trips(3_000, seed=2)
    return with_column(current, "trip_seconds", pc.multiply(current["trip_seconds"], 1.3))


@pytest.fixture(scope="module")
def slower_month(reference: pa.Table, slower: pa.Table) -> Comparison:
    return compare_trips(reference, slower)


@pytest.mark.slow
def test_slower_trips_are_a_drift_of_the_target_alone(slower_month: Comparison) -> None:
    assert [c.column_name for c in slower_month.columns if c.drifted] == ["trip_minutes"]
    assert slower_month.columns[0].column_name == "trip_minutes"


@pytest.mark.slow
def test_the_figures_are_those_that_evidently_shows(
    slower_month: Comparison, slower: pa.Table
) -> None:
    shown = {metric["metric_name"]: metric["value"] for metric in slower_month.evidently["metrics"]}
    count = next(value for name, value in shown.items() if name.startswith("DriftedColumns"))
    assert count == {"count": 1, "share": pytest.approx(1 / 7)}
    mae = next(value for name, value in shown.items() if name.startswith("MAE("))
    assert mae["mean"] == pytest.approx(performance(slower).mae)


@pytest.mark.slow
def test_the_page_needs_nothing_from_outside(slower_month: Comparison) -> None:
    assert "<script src=" not in slower_month.html
    assert "<link" not in slower_month.html.lower().split("<script", 1)[0]


@pytest.mark.slow
def test_another_mix_of_areas_is_a_drift_of_the_areas(reference: pa.Table) -> None:
    current = scored_trips(3_000, seed=2)
    mirrored = with_column(
        current, "pickup_community_area", pc.subtract(78, current["pickup_community_area"])
    )
    assert drifted(reference, mirrored) == {"pickup_community_area"}


@pytest.mark.slow
def test_areas_that_go_missing_are_a_drift(reference: pa.Table) -> None:
    current = scored_trips(3_000, seed=2)
    every_other = pa.array([n % 2 == 0 for n in range(3_000)])
    areas = pc.if_else(every_other, current["dropoff_community_area"], None)
    found = drifted(reference, with_column(current, "dropoff_community_area", areas))
    assert found == {"dropoff_community_area"}


@pytest.mark.slow
def test_trips_at_other_hours_are_a_drift_of_the_hour(reference: pa.Table) -> None:
    current = scored_trips(3_000, seed=2)
    start = current["trip_start_timestamp"].to_numpy()
    mornings = start.astype("datetime64[D]") + (start - start.astype("datetime64[D]")) // 2
    found = drifted(reference, with_column(current, "trip_start_timestamp", pa.array(mornings)))
    assert found == {"hour"}


@pytest.mark.slow
def test_a_column_without_values_is_left_out(reference: pa.Table) -> None:
    current = with_column(scored_trips(500), "trip_miles", pa.nulls(500, pa.float64()))
    names = {column.column_name for column in compare_trips(reference, current).columns}
    assert names == set(compared(current).column_names) - {"trip_miles"}


def test_small_samples_must_be_further_apart_to_count_as_drifted() -> None:
    small, large = compared(scored_trips(200)), compared(scored_trips(20_000))
    limits, wider = thresholds(large, large), thresholds(small, small)
    assert all(0.1 <= limits[name] < wider[name] < 0.35 for name in limits)
    assert max(limits.values()) < 0.11
