"""What the loop makes of months in which nothing happened: twelve simulated ones, and real ones.

    python benchmarks/false_alarms.py [FOLDER]

FOLDER holds 2019_jan_sep_hourly_companies.parquet (docs/simulation.md); without it only simulated
months are judged. Each month is compared with the trips that a model was trained on and scored by
that model, in two ways of running the loop: `monthly`, a model of the two months before; and
`never`, the model of the first two months for all that follow, which has every season against it.
Prints Markdown for docs/monitoring.md. No stack is needed.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxi_duration.model.dataset import trip_features
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.model.evaluation import fit_default
from taxi_duration.monitoring.columns import compared, sample_by_day
from taxi_duration.monitoring.drift import compare
from taxi_duration.monitoring.figures import CURRENT, REFERENCE, Figures
from taxi_duration.monitoring.judged_months import JudgedMonth, judged_month
from taxi_duration.monitoring.need import Answered, Rule, need
from taxi_duration.monitoring.performance import performance
from taxi_duration.monitoring.quality import data_quality
from taxi_duration.monitoring.scoring import TRIP_COLUMNS, Predict, score
from taxi_duration.settings import Settings
from taxi_duration.simulation.city import SimulatedCity
from taxi_duration.simulation.source import Window as Span
from taxi_duration.trips.clean import clean
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import conform

SETTINGS = Settings()
RULE = Rule.from_settings(SETTINGS)
HISTORY = 2
# Twelve months after two of history.
FIRST, LAST = Month(2022, 3), Month(2023, 4)
REAL = "2019_jan_sep_hourly_companies.parquet"


def main(folder: Path | None) -> None:
    """Judge the months of both sources."""
    print(f"thresholds: {RULE.limits}, drift share {SETTINGS.drift_share}", flush=True)
    report("Simulated", simulated())
    if folder:
        report("Real, 2019", real(folder / REAL))


def simulated() -> dict[Month, pa.Table]:
    """Clean months as the pipeline loads them, capped."""
    city = SimulatedCity(SETTINGS.seed, SETTINGS.simulated_trips_per_day)
    return {month: cleaned(month, rows_of(city, month)) for month in FIRST.to(LAST)}


def rows_of(city: SimulatedCity, month: Month) -> pa.Table:
    """The capped rows of a month, the same share of each day."""
    rows = pa.concat_tables(city.parts(Span(month.start, month.end)))
    return conform(sample_by_day(rows, SETTINGS.trips_per_month, SETTINGS.seed))


def real(path: Path) -> dict[Month, pa.Table]:
    """The real months of the smaller companies."""
    rows = conform(pq.read_table(path))
    start = rows["trip_start_timestamp"]
    return {
        month: cleaned(
            month,
            rows.filter(pc.and_(pc.greater_equal(start, month.start), pc.less(start, month.end))),
        )
        for month in Month(2019, 1).to(Month(2019, 9))
    }


def cleaned(month: Month, rows: pa.Table) -> pa.Table:
    """The trips of a month with the columns that the drift branch reads."""
    found = clean(
        rows,
        month,
        min_minutes=SETTINGS.min_minutes,
        max_minutes=SETTINGS.max_minutes,
        max_bad_share=SETTINGS.max_bad_share,
    )
    return found.trips.select(TRIP_COLUMNS).sort_by("trip_start_timestamp")


def report(title: str, months: dict[Month, pa.Table]) -> None:
    """Print a table a way of running the loop, and what would have been raised."""
    for way in ("monthly", "never"):
        print(f"\n### {title}, model trained {way}\n")
        print(
            "| month | drifted | columns | MAE | by mean | reference | ratio | missing | alarms |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
        alarms, retrainings, seen, last = 0, 0, [], None
        for month in judged_months(months, way):
            seen.append(month)
            told = month.grounds(RULE.limits) + month.gaps(RULE.limits)
            asked = need(seen, RULE, last, datetime.now(UTC)).status == "queued"
            if asked:
                last = Answered(month.month, datetime.min.replace(tzinfo=UTC))
            alarms, retrainings = alarms + bool(told), retrainings + asked
            print(row(month, told), flush=True)
        print(f"\n{len(seen)} months: {alarms} with an alarm, {retrainings} retrainings.")


def row(month: JudgedMonth, told: list[str]) -> str:
    """A line of the table."""
    cells = [
        month.month,
        f"{month.drifted_share:.0%}",
        ", ".join(month.drifted_columns) or "none",
        f"{month.mae:.2f}",
        f"{month.share:.3f}",
        f"{month.reference_mae / month.reference_minutes:.3f}",
        f"{month.error_ratio:.3f}",
        f"{max(month.missing.values()):.1%}",
        "; ".join(told) or "none",
    ]
    return f"| {' | '.join(cells)} |"


def judged_months(months: dict[Month, pa.Table], way: str) -> Iterator[JudgedMonth]:
    """Each month that has its history, scored by the model of that way."""
    model, reference, names = None, pa.table({}), list(months)
    for place, month in enumerate(names[HISTORY:], start=HISTORY):
        if way == "monthly" or model is None:
            known = names[place - HISTORY : place]
            trips = pa.concat_tables([months[each] for each in known])
            model = fit_default(
                trips,
                seed=SETTINGS.seed,
                min_minutes=SETTINGS.min_minutes,
                max_minutes=SETTINGS.max_minutes,
            )
            reference = score(trips, predict_with(model))
        assert model is not None
        yield judged(month, reference, score(months[month], predict_with(model)))


def predict_with(model: DurationModel) -> Predict:
    """What `score` asks."""
    return lambda trips: model.predict(trip_features(trips))


def judged(month: Month, reference: pa.Table, current: pa.Table) -> JudgedMonth:
    """The month as the drift branch would record it."""
    sides = {REFERENCE: reference, CURRENT: current}
    sampled = {
        side: sample_by_day(trips, SETTINGS.report_sample, SETTINGS.seed)
        for side, trips in sides.items()
    }
    found = compare(compared(sampled[REFERENCE]), compared(sampled[CURRENT]), SETTINGS.drift_share)
    return judged_month(
        Figures(
            month=str(month),
            source="simulated",
            model_version="1",
            reference_months=[],
            lake_version=0,
            seed=SETTINGS.seed,
            threshold=SETTINGS.drift_share,
            made_at=datetime.now(UTC),
            sampled_trips={side: trips.num_rows for side, trips in sampled.items()},
            drift=found.columns,
            quality={side: data_quality(compared(trips)) for side, trips in sides.items()},
            performance={side: performance(trips) for side, trips in sides.items()},
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="where the samples of real trips are")
    main(parser.parse_args().folder)
