"""The report of one month: figures over all trips, and Evidently's page over a sample of them."""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import pyarrow as pa

from taxi_duration.monitoring.columns import compared, sample_by_day
from taxi_duration.monitoring.drift import compare
from taxi_duration.monitoring.figures import CURRENT, REFERENCE, Figures, Subject
from taxi_duration.monitoring.page import with_head
from taxi_duration.monitoring.performance import performance
from taxi_duration.monitoring.quality import data_quality
from taxi_duration.monitoring.reports import document
from taxi_duration.monitoring.segments import segment_performance


@dataclass(frozen=True)
class MonthlyReport:
    """A report that was made: its figures, its page, and its JSON."""

    figures: Figures
    html: str
    json: bytes


def monthly_report(
    subject: Subject, reference: pa.Table, current: pa.Table, *, sample: int
) -> MonthlyReport:
    """Compare scored trips of the reference months with those of the month.

    Evidently reads at most `sample` trips a side, stratified by day.
    """
    sides = {REFERENCE: reference, CURRENT: current}
    sampled = {side: sample_by_day(trips, sample, subject.seed) for side, trips in sides.items()}
    found = compare(
        compared(sampled[REFERENCE]), compared(sampled[CURRENT]), drift_share=subject.threshold
    )
    figures = Figures(
        **msgspec.structs.asdict(subject),
        made_at=datetime.now(UTC),
        sampled_trips={side: trips.num_rows for side, trips in sampled.items()},
        drift=found.columns,
        quality={side: data_quality(compared(trips)) for side, trips in sides.items()},
        performance={side: performance(trips) for side, trips in sides.items()},
        segments=segment_performance(current),
    )
    return MonthlyReport(
        figures, with_head(found.html, figures), document(figures, found.evidently)
    )
