"""The report of one month: figures over all trips, and Evidently's page over a sample of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import pyarrow as pa

from taxi_duration.monitoring.columns import compared, sample_by_day
from taxi_duration.monitoring.drift import compare
from taxi_duration.monitoring.figures import CURRENT, REFERENCE, Figures, Subject
from taxi_duration.monitoring.page import with_head
from taxi_duration.monitoring.performance import Performance, performance
from taxi_duration.monitoring.quality import ColumnQuality, data_quality
from taxi_duration.monitoring.reports import document
from taxi_duration.monitoring.segments import SegmentPerformance, segment_performance


@dataclass(frozen=True)
class MonthlyReport:
    """A report that was made: its figures, its page, and its JSON."""

    figures: Figures
    html: str
    json: bytes


@dataclass(frozen=True)
class _Side:
    """What is left of a side's trips once they were counted."""

    sampled: pa.Table
    quality: list[ColumnQuality]
    performance: Performance
    segments: list[SegmentPerformance]


def monthly_report(
    subject: Subject, read: Mapping[str, Callable[[], pa.Table]], *, sample: int
) -> MonthlyReport:
    """Compare scored trips of the reference months with those of the month.

    `read` gives the trips of either side, `reference` and `current`; one is read after the other,
    as only one has to be in memory. Evidently reads at most `sample` trips a side, stratified by
    day.
    """
    sides = {side: _measure(side, read[side](), sample, subject.seed) for side in read}
    found = compare(sides[REFERENCE].sampled, sides[CURRENT].sampled, drift_share=subject.threshold)
    figures = Figures(
        **msgspec.structs.asdict(subject),
        made_at=datetime.now(UTC),
        sampled_trips={side: measured.sampled.num_rows for side, measured in sides.items()},
        drift=found.columns,
        quality={side: measured.quality for side, measured in sides.items()},
        performance={side: measured.performance for side, measured in sides.items()},
        segments=sides[CURRENT].segments,
    )
    return MonthlyReport(
        figures, with_head(found.html, figures), document(figures, found.evidently)
    )


def _measure(side: str, trips: pa.Table, sample: int, seed: int) -> _Side:
    return _Side(
        sampled=compared(sample_by_day(trips, sample, seed)),
        quality=data_quality(compared(trips)),
        performance=performance(trips),
        # The model was fitted on the reference: what it knows of it says little of a segment.
        segments=segment_performance(trips) if side == CURRENT else [],
    )
