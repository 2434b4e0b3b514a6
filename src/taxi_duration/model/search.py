"""Searching for parameters: trials on the earlier trips, judged on the later ones.

What is kept of a study is enough to go on where it was: each trial's random choices follow from the
seed and from how many trials ended before it, so that a search that was killed and started again
makes the same trials as one that was not.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import lightgbm as lgb
import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.pruners import MedianPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from taxi_duration.errors import NoTripsError
from taxi_duration.model.dataset import Sample
from taxi_duration.model.features import FEATURES
from taxi_duration.model.training import PARAMETERS, booster_parameters, training_data

# Optuna tells each trial to the standard error as well.
optuna.logging.set_verbosity(optuna.logging.WARNING)

Parameters = dict[str, float | int | str | bool]

# The number of rounds is not drawn: it follows from the learning rate, `rounds_for`.
SPACE: Final[dict[str, FloatDistribution | IntDistribution]] = {
    "learning_rate": FloatDistribution(0.03, 0.3, log=True),
    "num_leaves": IntDistribution(15, 255, log=True),
    "min_data_in_leaf": IntDistribution(10, 500, log=True),
    "feature_fraction": FloatDistribution(0.5, 1.0),
    "bagging_fraction": FloatDistribution(0.5, 1.0),
    "lambda_l2": FloatDistribution(0.001, 10.0, log=True),
}
# What LightGBM takes for those that PARAMETERS do not name.
_UNNAMED: Final = {"feature_fraction": 1.0, "bagging_fraction": 1.0, "lambda_l2": 0.0}
# The share of the trips, the latest of them, that judges a trial.
VALIDATION_SHARE: Final = 0.2
MOST_ROUNDS: Final = 800
REPORT_ROUNDS: Final = 20
# Random trials before the sampler follows what it has seen, and before any is pruned.
_RANDOM_TRIALS: Final = 8
_UNPRUNED_TRIALS: Final = 4
# Small learning rates begin slowly.
_UNPRUNED_ROUNDS: Final = 3 * REPORT_ROUNDS
_ENDED: Final = (TrialState.COMPLETE, TrialState.PRUNED)


class Budget(NamedTuple):
    """When a search ends: after so many trials or seconds of trials, whichever is first; 0: never.

    A trial that has begun is finished. With neither, nothing is searched.
    """

    trials: int = 0
    seconds: float = 0.0

    def allows_another(self, ended: list["Trial"]) -> bool:
        """Whether one more trial may begin after those that ended."""
        spent = sum(trial.seconds for trial in ended)
        return not (
            (self.trials and len(ended) >= self.trials) or (self.seconds and spent >= self.seconds)
        )

    def paid_for(self, ended: list["Trial"]) -> list["Trial"]:
        """The first of the trials: those that began within the budget."""
        return [trial for n, trial in enumerate(ended) if self.allows_another(ended[:n])]


class Trial(NamedTuple):
    """One trial: `state` is complete, pruned, or fail where it was interrupted."""

    number: int
    state: str
    parameters: Parameters
    # Mean absolute error in minutes on the later trips: at its last round, and by round.
    mae: float
    curve: dict[int, float]
    rounds: int
    seconds: float
    # Unix time.
    started: float

    @classmethod
    def of(cls, frozen: FrozenTrial) -> "Trial":
        """A trial that has ended, as Optuna keeps it."""
        curve = dict(sorted(frozen.intermediate_values.items()))
        mae = frozen.value if frozen.value is not None else min(curve.values(), default=np.nan)
        started = frozen.datetime_start.timestamp() if frozen.datetime_start else 0.0
        return cls(
            number=frozen.number,
            state=frozen.state.name.lower(),
            parameters=dict(frozen.params),
            mae=float(mae),
            curve=curve,
            rounds=int(frozen.user_attrs.get("rounds", max(curve, default=0))),
            # An interrupted trial ends when the search goes on, which may be days later.
            seconds=frozen.duration.total_seconds()
            if frozen.duration and frozen.state in _ENDED
            else 0.0,
            started=started,
        )


class Found(NamedTuple):
    """The parameters for a fit on all trips, the best trial, and all that the budget paid for.

    Where no trial was better than the first, the parameters known before stay as they are.
    """

    parameters: Parameters
    best: Trial
    trials: list[Trial]


class History(NamedTuple):
    """The trips that are searched on, and the later ones that confirm what was found."""

    earlier: Sample
    later: Sample


class Confirmation(NamedTuple):
    """What a search comes to on trips that had no part in it.

    `parameters` are those for a fit on all trips: the winner's where its mean absolute error in
    minutes, `found_mae`, is under `known_mae`, that of the parameters known before.
    """

    parameters: Parameters
    known_mae: float
    found_mae: float

    @property
    def kept_known(self) -> bool:
        """Whether the parameters known before stay."""
        return self.found_mae >= self.known_mae


class Fold(NamedTuple):
    """The earlier trips, which a trial is fitted on, and the later ones, which judge it."""

    fitted: Sample
    judged: Sample

    @classmethod
    def of(cls, trips: Sample) -> "Fold":
        """Cuts trips that are in the order of their start.

        Raises NoTripsError where there are too few to cut.
        """
        cut = int(len(trips.minutes) * (1 - VALIDATION_SHARE))
        if not 0 < cut < len(trips.minutes):
            raise NoTripsError(f"{len(trips.minutes)} trips cannot be searched on.", "Load more.")
        return cls(
            Sample(*(column[:cut] for column in trips)),
            Sample(*(column[cut:] for column in trips)),
        )


def study_name(prefix: str, trips: Sample, seed: int) -> str:
    """A name that is the same for the same trips, seed, search space and library versions."""
    told = [FEATURES, sorted(PARAMETERS.items()), SPACE, seed, MOST_ROUNDS]
    digest = hashlib.sha256(repr([*told, lgb.__version__, optuna.__version__]).encode())
    for column in trips:
        digest.update(np.ascontiguousarray(column).tobytes())
    return f"{prefix} seed {seed} {digest.hexdigest()[:12]}"


def search(
    storage: BaseStorage,
    name: str,
    trips: Sample,
    seed: int,
    budget: Budget,
    on_end: Callable[[Trial], None] = lambda _: None,
) -> Found:
    """The best parameters that the budget finds, those known before among the tried.

    `trips` are in the order of their start. The study `name` is begun, or goes on where it was: a
    trial that was interrupted is done again. `on_end` is told each trial of the study that has
    ended, those of earlier attempts first.
    """
    fold = Fold.of(trips)
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        load_if_exists=True,
        direction="minimize",
        pruner=MedianPruner(_UNPRUNED_TRIALS, n_warmup_steps=_UNPRUNED_ROUNDS),
    )
    for stale in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(stale.number, state=TrialState.FAIL)
    for frozen in study.get_trials(deepcopy=False):
        on_end(Trial.of(frozen))
    ended = _ended(study)
    while budget.allows_another(ended):
        study.sampler = _sampler(seed, len(ended))
        on_end(_try(study, fold, seed))
        ended = _ended(study)
    trials = budget.paid_for(ended)
    best = min((t for t in trials if t.state == "complete"), key=lambda trial: trial.mae)
    found = {**best.parameters, "rounds": best.rounds} if best is not trials[0] else {}
    return Found({**PARAMETERS, **found}, best, trials)


def confirm(found: Found, history: History, seed: int) -> Confirmation:
    """The winner against the parameters known before, on the later trips of `history`.

    The best of many trials is the best on the trips that judged them, by chance as well; of a few
    days more by chance than for any other reason.
    """
    known, other = (
        _mae(parameters, history, seed) for parameters in (PARAMETERS, found.parameters)
    )
    return Confirmation(found.parameters if other < known else PARAMETERS, known, other)


def rounds_for(learning_rate: float) -> int:
    """As many rounds as learn as much at this rate as those known before do at theirs.

    Stopping where the later trips are answered best would fit the rounds to these few days: on
    real trips of March and April it stopped at 44 rounds, and those of May were 4% worse for it.
    """
    known = float(PARAMETERS["rounds"]) * float(PARAMETERS["learning_rate"])
    return min(max(round(known / learning_rate), REPORT_ROUNDS), MOST_ROUNDS)


def known_point() -> dict[str, float | int]:
    """The parameters known before, as a point of the space that is searched."""
    point: dict[str, float | int] = {}
    for name, distribution in SPACE.items():
        value = float(PARAMETERS.get(name, _UNNAMED.get(name, 0)))
        # A number of leaves is an int, as the bounds of its space are.
        number = type(distribution.low)(value)
        point[name] = min(max(number, distribution.low), distribution.high)
    return point


class _Known(BaseSampler):
    """Samples the one point that is known before the search."""

    def infer_relative_search_space(
        self,
        study: optuna.Study,  # noqa: ARG002  the signatures are Optuna's
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self,
        study: optuna.Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        search_space: dict[str, BaseDistribution],  # noqa: ARG002
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: optuna.Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        param_name: str,
        param_distribution: BaseDistribution,  # noqa: ARG002
    ) -> float | int:
        return known_point()[param_name]


def _sampler(seed: int, position: int) -> BaseSampler:
    """The sampler of one trial; it has no state but the study's and its own seed."""
    if position == 0:
        return _Known()
    own_seed = int(np.random.SeedSequence([seed, position]).generate_state(1)[0])
    return TPESampler(seed=own_seed, n_startup_trials=_RANDOM_TRIALS)


def _ended(study: optuna.Study) -> list[Trial]:
    return [Trial.of(frozen) for frozen in study.get_trials(deepcopy=False, states=_ENDED)]


def _try(study: optuna.Study, fold: Fold, seed: int) -> Trial:
    trial = study.ask(dict(SPACE))
    try:
        booster = _fit(trial, fold, seed)
    except optuna.TrialPruned:
        return Trial.of(study.tell(trial, state=TrialState.PRUNED))
    except Exception:
        study.tell(trial, state=TrialState.FAIL)
        raise
    trial.set_user_attr("rounds", booster.current_iteration())
    return Trial.of(study.tell(trial, booster.best_score["judged"]["l1"]))


def _fit(trial: optuna.Trial, fold: Fold, seed: int) -> lgb.Booster:
    """The median booster of one trial; raises TrialPruned where it falls behind the others."""
    parameters: dict[str, Any] = {**PARAMETERS, **trial.params, "seed": seed}
    fitted = training_data(fold.fitted, float(parameters["half_life_days"]))
    return lgb.train(
        {**booster_parameters(parameters), "objective": "l1", "metric": "l1"},
        fitted,
        num_boost_round=rounds_for(trial.params["learning_rate"]),
        valid_sets=[fitted.create_valid(fold.judged.features, fold.judged.minutes)],
        valid_names=["judged"],
        callbacks=[_reporter(trial)],
    )


def _mae(parameters: Parameters, history: History, seed: int) -> float:
    earlier, later = history
    fitted = training_data(earlier, float(parameters["half_life_days"]))
    options = {**booster_parameters(parameters), "objective": "l1", "seed": seed}
    booster = lgb.train(options, fitted, int(parameters["rounds"]))
    predicted = booster.predict(later.features, num_threads=1)
    return float(np.abs(predicted - later.minutes).mean())


def _reporter(trial: optuna.Trial) -> Callable[[Any], None]:
    def report(state: Any) -> None:
        rounds = state.iteration + 1
        if rounds % REPORT_ROUNDS == 0:
            trial.report(state.evaluation_result_list[0][2], rounds)
            if trial.should_prune():
                raise optuna.TrialPruned

    return report
