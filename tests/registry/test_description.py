from taxi_duration.registry.description import describe
from trips_factory import model_info

FIGURES = {"mae": 3.7, "rmse": 5.9, "mape": 0.4, "median_error": 2.4, "within_5": 0.798}


def test_a_person_reads_what_was_trained_tested_and_compared() -> None:
    model = {**FIGURES, "mae": 3.6, "coverage_80": 0.803, "interval_width": 11.4}
    text = describe(model_info(), "2019-03", 50_000, {"floor": FIGURES, "lightgbm": model})
    assert "4,000 trips of 2019-01, 2019-02" in text
    assert "50,000 later trips, of 2019-03" in text
    assert "simulated, version 3" in text
    assert "held 80.3% of the tested trips" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[2:] == [
        "| lightgbm | 3.600 | 5.900 | 40.0% | 2.400 | 79.8% |",
        "| floor | 3.700 | 5.900 | 40.0% | 2.400 | 79.8% |",
    ]
