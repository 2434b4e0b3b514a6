"""All figures of one month's report: its JSON in S3 and its rows in Postgres come from here."""

from datetime import datetime
from typing import Final

import msgspec

from taxi_duration.monitoring.performance import Performance
from taxi_duration.monitoring.quality import ColumnQuality
from taxi_duration.monitoring.segments import SegmentPerformance

REFERENCE: Final = "reference"
CURRENT: Final = "current"
# The model version where there is no model yet: the floor table scores.
FLOOR: Final = "floor"


class ColumnDrift(msgspec.Struct, frozen=True, kw_only=True):
    """How far one column is from the reference; drifted where `score` reaches `threshold`."""

    column_name: str
    method: str
    score: float
    threshold: float
    drifted: bool


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared with what, and which model version predicted."""

    month: str
    source: str
    model_version: str
    reference_months: list[str]
    lake_version: int
    # Of the sample that Evidently reads.
    seed: int
    # Share of drifted columns from which the month counts as drifted, 0 to 1.
    threshold: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """How a model version did on a month's trips."""

    month: str
    source: str
    model_version: str
    # UTC.
    made_at: datetime
    # Of `reference` and `current`, or of `current` alone.
    performance: dict[str, Performance]
    # Of the current trips; none in reports of before they were measured.
    segments: list[SegmentPerformance]


class Figures(Subject, frozen=True, kw_only=True):
    """What came out; the dicts tell it for `reference` and `current` each."""

    # UTC.
    made_at: datetime
    sampled_trips: dict[str, int]
    drift: list[ColumnDrift]
    quality: dict[str, list[ColumnQuality]]
    performance: dict[str, Performance]
    # Of the current trips; none in reports of before they were measured.
    segments: list[SegmentPerformance] = []

    @property
    def measured(self) -> Measured:
        """What is said of the model version alone."""
        names = Measured.__struct_fields__
        return Measured(**{name: getattr(self, name) for name in names})

    @property
    def drifted_columns(self) -> list[str]:
        """Names of the drifted columns, the furthest first."""
        return [column.column_name for column in self.drift if column.drifted]

    @property
    def drifted_share(self) -> float:
        """Drifted columns by all that were compared, 0 to 1."""
        return len(self.drifted_columns) / len(self.drift)

    @property
    def drifted(self) -> bool:
        """Whether the month counts as drifted."""
        return self.drifted_share >= self.threshold
