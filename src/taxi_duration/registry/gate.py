"""Whether a candidate takes the champion's place: the rules, and a decision with its reasons.

Nothing here asks a server: the figures come in, the decision goes out.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Self

import msgspec

from taxi_duration.model.comparison import SegmentFigures
from taxi_duration.model.duration_model import COVERAGE
from taxi_duration.settings import Settings

ERROR: Final = "error"
# The worst ones; the page has all.
_TOLD_SEGMENTS: Final = 3


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a decision, as the settings `gate_…` of the same names declare them."""

    margin_minutes: float
    confidence: float
    # Trips, and hours in which they start, from which the bootstrap's confidence can be believed.
    min_trips: int
    min_hours: int
    segment_tolerance: float
    segment_trips: int
    min_coverage: float
    max_coverage: float
    max_milliseconds: float
    # Whether a model of one source may take the place of a champion of another.
    replace_source: bool = False

    @classmethod
    def from_settings(cls, settings: Settings, *, replace_source: bool) -> Self:
        """The rules that the settings declare."""
        names = [name for name in cls.__struct_fields__ if name != "replace_source"]
        bounds = {name: getattr(settings, f"gate_{name}") for name in names}
        return cls(**bounds, replace_source=replace_source)


class Rival(msgspec.Struct, frozen=True, kw_only=True):
    """What the candidate is compared with: the champion, or the floor."""

    # The version that holds the alias; empty where none does.
    version: str = ""
    source: str = ""
    # Why the champion cannot be scored; the floor then takes its part.
    fault: str = ""

    @property
    def is_champion(self) -> bool:
        """Whether the figures of the rival are those of the champion."""
        return bool(self.version) and not self.fault

    def __str__(self) -> str:
        if self.is_champion:
            return f"champion {self.version}"
        if self.version:
            return f"the floor (champion {self.version} fails: {self.fault})"
        return "the floor (there is no champion yet)"


class AnswerFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What answers with an interval were like: minutes, and a share between 0 and 1."""

    interval_width: float
    pinball: float
    # The share that arrived 5 or more minutes later than predicted.
    late_5: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The candidate and its rival on the same trips; minutes, shares between 0 and 1."""

    mae: float
    rival_mae: float
    floor_mae: float
    # Minutes of MAE gained on the rival, and the lower end of what the bootstrap finds.
    gain: float
    least_gain: float
    coverage_80: float
    # None where the rival has no interval.
    rival_coverage_80: float | None
    answers: AnswerFigures
    rival_answers: AnswerFigures | None
    # To answer one trip.
    milliseconds: float
    segments: list[SegmentFigures]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """The trips that both were scored on, and how to tell that they are the same ones."""

    uri: str
    trips: int
    # In which at least one of them starts.
    hours: int
    sha256: str
    first: datetime
    last: datetime


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """The model that asks to serve."""

    model_id: str
    # The run that trained it, and the run of the pipeline above it.
    run_id: str
    parent_run_id: str
    source: str
    month: str
    # Why it cannot be used: its files are not whole, or a golden trip is answered otherwise.
    fault: str = ""


class Check(msgspec.Struct, frozen=True):
    """One rule, whether it is kept, and a sentence that says so with its figures."""

    name: str
    passed: bool
    said: str


class GateDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with all that it was made from."""

    promoted: bool
    checks: list[Check]
    candidate: Candidate
    rival: Rival
    rows: Rows
    rules: Rules
    # None where the candidate cannot be used.
    figures: Figures | None
    # When it was decided, UTC.
    decided_at: datetime
    # The registered version, once there is one.
    version: str = ""
    # What a reader has to know to judge the figures.
    notes: list[str] = []

    @property
    def reasons(self) -> list[str]:
        """Why it was refused; for a promotion, why the candidate is better."""
        if self.promoted:
            return [check.said for check in self.checks if check.name == ERROR]
        return [check.said for check in self.checks if not check.passed]

    @property
    def reason(self) -> str:
        """The reasons in one line."""
        return " ".join(self.reasons)

    @property
    def word(self) -> str:
        """`promoted` or `refused`."""
        return "promoted" if self.promoted else "refused"

    def of_version(self, number: str) -> Self:
        """The decision, once its candidate is registered."""
        return msgspec.structs.replace(self, version=number)


def decide(
    candidate: Candidate,
    rival: Rival,
    figures: Figures | None,
    rows: Rows,
    rules: Rules,
    *,
    decided_at: datetime,
    notes: list[str] | None = None,
) -> GateDecision:
    """Promote the candidate if every rule is kept; `figures` are None where it cannot be used."""
    checks = [
        _source(candidate, rival, rules),
        _golden(candidate),
        _enough_trips(rival, rows, rules),
    ]
    if figures:
        checks += [check(rival, figures, rules) for check in _CHECKS]
    return GateDecision(
        promoted=figures is not None and all(check.passed for check in checks),
        checks=checks,
        candidate=candidate,
        rival=rival,
        rows=rows,
        rules=rules,
        figures=figures,
        decided_at=decided_at,
        notes=notes or [],
    )


def void(decision: GateDecision, holder: str) -> GateDecision:
    """The decision refused, as another version has become champion since the comparison."""
    former = decision.rival.version or "none"
    said = (
        f"The candidate was compared with champion {former}, and now it is {holder or 'none'}:"
        " the comparison says nothing of that."
    )
    check = Check("same champion", False, said)
    return msgspec.structs.replace(decision, promoted=False, checks=[*decision.checks, check])


def _source(candidate: Candidate, rival: Rival, rules: Rules) -> Check:
    if not rival.version or rival.source == candidate.source:
        return Check("source", True, f"It was trained on trips of the source {candidate.source}.")
    said = (
        f"Its source is {candidate.source}, that of champion {rival.version} is {rival.source}."
        " The variable replace_source allows the change."
    )
    return Check("source", rules.replace_source, said)


def _golden(candidate: Candidate) -> Check:
    said = candidate.fault or "Its files are whole and it answers its golden trips."
    return Check("golden trips", not candidate.fault, said)


def _enough_trips(rival: Rival, rows: Rows, rules: Rules) -> Check:
    """Against the champion: of few hours the bootstrap draws samples that are too much alike.

    Without a champion that serves nothing is to be kept instead, as in `_error`.
    """
    enough = rows.trips >= rules.min_trips and rows.hours >= rules.min_hours
    said = (
        f"They are compared on {_of(rows.trips, 'trip')} in {_of(rows.hours, 'hour')}; against a"
        f" champion {_of(rules.min_trips, 'trip')} in {_of(rules.min_hours, 'hour')} are asked for"
    )
    if enough or not rival.is_champion:
        return Check("enough trips", True, f"{said}.")
    return Check(
        "enough trips", False, f"{said}: load more of the month, or wait until it is over."
    )


def _of(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def _error(rival: Rival, figures: Figures, rules: Rules) -> Check:
    """Against the champion, the lower end of the gain counts; the floor only has to be beaten.

    Without a champion nothing serves at all, and a few trips would prove no margin.
    """
    pair = f"MAE {figures.mae:.3f} min against {figures.rival_mae:.3f} min of {rival}"
    if not rival.is_champion:
        better = figures.mae < figures.rival_mae
        return Check(ERROR, better, f"{pair}: {'better' if better else 'not better'}.")
    surely = f"with {rules.confidence:.0%} confidence the gain is at least"
    said = (
        f"{pair}: {_gained(figures.gain)}; {surely} {figures.least_gain:+.3f} min, and more than"
        f" {rules.margin_minutes:+.3f} min is asked for."
    )
    return Check(ERROR, figures.least_gain > rules.margin_minutes, said)


def _segments(rival: Rival, figures: Figures, rules: Rules) -> Check:
    """Only a champion can be kept instead; what is worse than the floor is told all the same."""
    limit = rules.segment_tolerance
    worse = sorted(
        (each for each in figures.segments if each.worse > limit), key=lambda each: -each.worse
    )
    large = f"{len(figures.segments)} segments of {rules.segment_trips:,} trips or more"
    if not worse:
        said = f"In none of {large} is its MAE more than {limit:.0%} above that of {rival}."
        return Check("segments", True, said)
    told = "; ".join(
        f"{each.name}: {each.mae:.3f} min against {each.rival_mae:.3f} min ({each.worse:+.1%})"
        for each in worse[:_TOLD_SEGMENTS]
    )
    if len(worse) > _TOLD_SEGMENTS:
        told += "; …"
    said = f"In {len(worse)} of {large} its MAE is more than {limit:.0%} above that of {rival}:"
    return Check("segments", not rival.is_champion, f"{said} {told}.")


def _coverage(rival: Rival, figures: Figures, rules: Rules) -> Check:
    """Inside the band, or at least as near to what is meant as the champion on the same trips.

    In a month that is unlike all before it every interval misses; the better one still serves.
    """
    held, its = figures.coverage_80, figures.rival_coverage_80
    band = f"{rules.min_coverage:.0%} to {rules.max_coverage:.0%}"
    said = f"Its interval holds {held:.1%} of the trips; {band} is asked for"
    if rules.min_coverage <= held <= rules.max_coverage:
        return Check("coverage", True, f"{said}.")
    if its is None:
        return Check("coverage", False, f"{said}.")
    nearer = abs(held - COVERAGE) <= abs(its - COVERAGE)
    verdict = "is no nearer to" if nearer else "is nearer to"
    said = f"{said}; {rival}, with {its:.1%}, {verdict} {COVERAGE:.0%}."
    return Check("coverage", nearer, said)


def _speed(_rival: Rival, figures: Figures, rules: Rules) -> Check:
    said = (
        f"One trip takes {figures.milliseconds:.2f} ms;"
        f" at most {rules.max_milliseconds:.0f} ms are allowed."
    )
    return Check("speed", figures.milliseconds <= rules.max_milliseconds, said)


def _gained(minutes: float) -> str:
    if abs(minutes) < 0.0005:
        return "no difference"
    return f"{abs(minutes):.3f} min {'better' if minutes > 0 else 'worse'}"


_CHECKS: Final[tuple[Callable[[Rival, Figures, Rules], Check], ...]] = (
    _error,
    _segments,
    _coverage,
    _speed,
)
