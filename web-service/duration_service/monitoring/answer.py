"""What `GET /monitoring.json` answers: the rows of the schema `monitoring`, newest first.

Names are those of the tables (docs/tables.md); errors are minutes, shares 0 to 1, times UTC, months
`2022-04`. None is what was not measured.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct

# The source of the rows that a drill makes, which are no news of the model.
DRILL: Final = "drill"
# The version of a month that no model could be judged by: the floor table was scored instead.
FLOOR: Final = "floor"


class Promotion(Struct, frozen=True):
    """A change of the alias `champion`: which version serves from then on, and why."""

    action: str
    from_version: str | None
    to_version: str | None
    changed_by: str
    reason: str
    changed_at: datetime


class MonthPerformance(Struct, frozen=True):
    """How a version did on a month's trips.

    `reference_mae` is its error on those that it learned from, `expected_mae` the same for trips
    as long as this month's: longer trips have larger errors. `served` is false where it was not the
    champion at any time of the month. `judged` is true for the one version that the month's drift
    report is about: that report alone has what an error is compared with.
    """

    source: str
    month: str
    model_version: str
    trips: int
    mae: float
    within_5: float
    bias: float
    coverage_80: float | None
    interval_width: float | None
    late_5: float | None
    reference_mae: float | None
    expected_mae: float | None
    floor_mae: float | None
    served: bool | None
    judged: bool
    reported_at: datetime


class SegmentPerformance(Struct, frozen=True):
    """The same for one kind of trips, in the latest month that has them."""

    source: str
    month: str
    model_version: str
    segment: str
    trips: int
    mae: float
    floor_mae: float | None
    within_5: float
    coverage_80: float | None


class ColumnScore(Struct, frozen=True):
    """How far a column is from the reference; drifted where `score` reaches `threshold`."""

    column_name: str
    score: float
    threshold: float
    drifted: bool


class MonthDrift(Struct, frozen=True):
    """A month's report, and each of its columns, the furthest first."""

    source: str
    month: str
    model_version: str
    reference_months: list[str]
    current_trips: int
    compared_columns: int
    drifted_columns: int
    drifted_share: float
    threshold: float
    drifted: bool
    report_url: str
    reported_at: datetime
    columns: list[ColumnScore]


class Missing(Struct, frozen=True):
    """Share of the latest month's rows without a value in a column, and of the reference's."""

    source: str
    month: str
    column_name: str
    trips: int
    missing_share: float
    reference_share: float | None


class LoadedMonth(Struct, frozen=True):
    """What loading a month came to, in trips."""

    source: str
    month: str
    asked: int | None
    loaded: int | None
    kept: int | None
    quarantined: int | None
    loaded_at: datetime


class Quarantined(Struct, frozen=True):
    """Trips of the latest month that cannot be used, for one reason."""

    source: str
    month: str
    reason: str
    trips: int


class Run(Struct, frozen=True):
    """How a run of a pipeline ended."""

    pipeline: str
    run_id: str
    source: str | None
    month: str | None
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    error: str | None


class Decision(Struct, frozen=True):
    """What the gate decided of a candidate; `broken` are the rules that it did not keep."""

    version: str | None
    source: str
    month: str
    promoted: bool
    reason: str
    rival: str
    trips: int
    mae: float | None
    rival_mae: float | None
    floor_mae: float | None
    coverage_80: float | None
    broken: list[str]
    page_url: str
    decided_at: datetime


class AskedHour(Struct, frozen=True):
    """What the service answered in an hour; an hour without a request is left out."""

    hour: datetime
    predictions: int
    requests: int
    unknown_area_share: float
    mean_minutes: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class LiveWindow(Struct, frozen=True):
    """How far what the service was asked in a window is from what it learned from.

    `refused_requests` were answered with 4xx, `failed_requests` with 5xx.
    """

    window_start: datetime
    window_end: datetime
    predictions: int
    model_version: str | None
    drifted_share: float | None
    drifted: bool | None
    unseen_pairs_share: float | None
    missing_areas_share: float | None
    refused_requests: int | None
    failed_requests: int | None
    report_url: str | None
    drifted_columns: list[str]


class Outcome(Struct, frozen=True):
    """Logged predictions of a month whose trips became known, by what really happened."""

    source: str
    month: str
    role: str
    model_version: str
    predictions: int
    mae: float
    coverage_80: float


class Retraining(Struct, frozen=True):
    """A decision to train again, or not to although it would be due."""

    source: str
    month: str | None
    requested_at: datetime
    status: str
    reason: str
    pipeline_run_id: str | None
    drill: bool


class Alarm(Struct, frozen=True):
    """What a person was told of; `sent_to` is empty where nobody was."""

    raised_at: datetime
    kind: str
    subject: str
    message: str
    sent_to: list[str]
    drill: bool


class Figures(Struct, frozen=True, kw_only=True):
    """All of it, at one moment. An empty list says that there is nothing yet, and never "good".

    `absent` has the lists whose tables are not in the database yet, `unread` those that could not
    be read, each with the reason: of them nothing is known.
    """

    read_at: datetime
    absent: list[str]
    unread: dict[str, str]
    promotions: list[Promotion]
    performance: list[MonthPerformance]
    segments: list[SegmentPerformance]
    drift: list[MonthDrift]
    missing: list[Missing]
    loaded_months: list[LoadedMonth]
    quarantined: list[Quarantined]
    runs: list[Run]
    decisions: list[Decision]
    asked: list[AskedHour]
    live_windows: list[LiveWindow]
    outcomes: list[Outcome]
    retrainings: list[Retraining]
    alarms: list[Alarm]


class Limits(Struct, frozen=True):
    """What the figures are judged by; each is a setting."""

    error_ratio: float
    drift_share: float
    min_coverage: float
    max_coverage: float


class Monitoring(Figures, frozen=True, kw_only=True):
    """The figures with what they are judged by and where to look further.

    `serving` is the version with which this process answers; None: there is no model yet.
    """

    model: str
    serving: str | None
    limits: Limits
    links: dict[str, str]
