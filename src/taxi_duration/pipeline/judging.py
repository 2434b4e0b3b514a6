"""What the gate decides from: candidate and champion, scored on the same stored trips."""

import logging
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np

from taxi_duration.contract import ModelVersion
from taxi_duration.errors import ModelError
from taxi_duration.model.comparison import by_segment, paired_gain
from taxi_duration.model.duration_model import QUANTILES, DurationModel
from taxi_duration.model.features import PLACES, Floats
from taxi_duration.model.metrics import answer_metrics
from taxi_duration.model.segments import segments
from taxi_duration.pipeline.training_tables import LaterTrips, read_later_trips, read_predictions
from taxi_duration.registry.candidates import FLOOR, SERVABLE
from taxi_duration.registry.champion import champion, load, load_candidate
from taxi_duration.registry.gate import (
    AnswerFigures,
    Candidate,
    Figures,
    GateDecision,
    Rival,
    Rows,
    Rules,
    decide,
)
from taxi_duration.registry.trained import tested_from
from taxi_duration.settings import Settings

log = logging.getLogger(__name__)

_TIMED_TRIPS: Final = 101
# Coprime to the number of pairs, so that no pair comes twice.
_STEP: Final = 1_009


class Opponent(NamedTuple):
    """What the candidate is compared with, and its answers to the n trips, of shape (n, 3).

    `answers` is None, and the floor takes its part, where no champion can be scored.
    """

    rival: Rival
    answers: Floats | None = None
    # The months that the champion was trained on, and its run.
    months: tuple[str, ...] = ()
    run_id: str = ""


def judge(settings: Settings, evaluated: dict[str, Any]) -> tuple[GateDecision, dict[str, float]]:
    """The gate's decision, and the champion's figures on the trips; empty where it has none.

    Raises RegistryError where a model cannot be fetched. One that is not whole is no failure: as a
    candidate it is refused, as a champion the floor takes its part.
    """
    trips = read_later_trips(settings, evaluated)
    rules = Rules.from_settings(settings, replace_source=evaluated["replace_source"])
    candidate, model = _candidate(settings, evaluated)
    opponent = _opponent(settings, trips)
    floor = read_predictions(settings, evaluated)[FLOOR]
    decision = decide(
        candidate,
        opponent.rival,
        _figures(trips, model, opponent, floor, rules, evaluated["seed"]) if model else None,
        _rows(evaluated, trips),
        rules,
        decided_at=datetime.now(UTC),
        notes=_notes(settings, evaluated["month"], opponent, trips),
    )
    return decision, _metrics(trips, opponent)


def milliseconds_per_trip(model: DurationModel) -> float:
    """How long the model takes to answer one trip, as the service asks it; the median of some.

    A model keeps its answers, so each trip has another pair and another day than those before,
    far from any day that a model was asked for.
    """
    seconds = []
    for number in range(_TIMED_TRIPS):
        pair = divmod(number * _STEP % len(PLACES) ** 2, len(PLACES))
        start = datetime(2040, 1, 1) + number * timedelta(days=1, minutes=17)
        started = time.perf_counter()
        model.answer(*pair, start)
        seconds.append(time.perf_counter() - started)
    return 1_000 * median(seconds)


def _candidate(
    settings: Settings, evaluated: dict[str, Any]
) -> tuple[Candidate, DurationModel | None]:
    model, fault = None, ""
    try:
        model = load_candidate(settings, evaluated["model_id"])
    except ModelError as error:
        fault = str(error)
    candidate = Candidate(
        model_id=evaluated["model_id"],
        run_id=evaluated["candidates"][SERVABLE],
        parent_run_id=evaluated["run_id"],
        source=evaluated["source"],
        month=evaluated["month"],
        fault=fault,
    )
    return candidate, model


def _opponent(settings: Settings, trips: LaterTrips) -> Opponent:
    holder = champion(settings)
    if not holder:
        return Opponent(Rival())
    try:
        answers = load(settings, holder).predict(trips.sample.features)
    except ModelError as error:
        log.warning("champion %s cannot be scored: %s", holder.version, error)
        return Opponent(_rival(holder, str(error)))
    return Opponent(_rival(holder), answers, tuple(holder.months), holder.run_id)


def _rival(holder: ModelVersion, fault: str = "") -> Rival:
    return Rival(version=holder.version, source=holder.source, fault=fault)


def _figures(
    trips: LaterTrips,
    model: DurationModel,
    opponent: Opponent,
    floor: Floats,
    rules: Rules,
    seed: int,
) -> Figures:
    minutes, answers = trips.sample.minutes, model.predict(trips.sample.features)
    own, its = answer_metrics(minutes, answers, QUANTILES), _metrics(trips, opponent)
    rival = floor if opponent.answers is None else opponent.answers[:, 1]
    errors, rival_errors = np.abs(answers[:, 1] - minutes), np.abs(rival - minutes)
    gain = paired_gain(rival_errors, errors, trips.start, confidence=rules.confidence, seed=seed)
    parts = segments(trips.pickup, trips.dropoff, trips.start)
    return Figures(
        mae=float(errors.mean()),
        rival_mae=float(rival_errors.mean()),
        floor_mae=float(np.abs(floor - minutes).mean()),
        gain=gain.minutes,
        least_gain=gain.least,
        coverage_80=own["coverage_80"],
        rival_coverage_80=its.get("coverage_80"),
        answers=_answer_figures(own),
        rival_answers=_answer_figures(its) if its else None,
        milliseconds=milliseconds_per_trip(model),
        segments=by_segment(minutes, answers, rival, parts, rules.segment_trips),
    )


def _answer_figures(metrics: dict[str, float]) -> AnswerFigures:
    return AnswerFigures(**{name: metrics[name] for name in AnswerFigures.__struct_fields__})


def _rows(evaluated: dict[str, Any], trips: LaterTrips) -> Rows:
    first, last = (
        moment.astype("datetime64[us]").item() for moment in (trips.start.min(), trips.start.max())
    )
    return Rows(
        uri=evaluated["features"]["uri"],
        trips=len(trips.start),
        hours=len(np.unique(trips.start.astype("datetime64[h]"))),
        sha256=trips.sha256,
        first=first,
        last=last,
    )


def _notes(settings: Settings, month: str, opponent: Opponent, trips: LaterTrips) -> list[str]:
    if month not in opponent.months:
        return []
    # A champion that a retraining made did not learn from the last days of its month.
    until = tested_from(settings, opponent.run_id)
    if until and np.datetime64(until) <= trips.start.min():
        return []
    known = "these trips"
    if until and np.datetime64(until) <= trips.start.max():
        known = f"those of these trips that start before {until:%Y-%m-%d %H:%M}"
    return [
        f"{opponent.rival} was trained on {month} as well and knows {known}: the comparison"
        " favours it."
    ]


def _metrics(trips: LaterTrips, opponent: Opponent) -> dict[str, float]:
    if opponent.answers is None:
        return {}
    return answer_metrics(trips.sample.minutes, opponent.answers, QUANTILES)
