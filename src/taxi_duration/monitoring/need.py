"""Whether the model needs to be trained again: the rule, and nothing but the rule."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from taxi_duration.monitoring.figures import FLOOR
from taxi_duration.monitoring.judged_months import JudgedMonth, Limits
from taxi_duration.settings import Settings


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """So many of the latest months, the latest among them, and a pause between two retrainings."""

    limits: Limits
    months: int
    over: int
    cooldown: timedelta

    @classmethod
    def from_settings(cls, settings: Settings) -> "Rule":
        """The rule that the settings name."""
        return cls(
            limits=Limits.from_settings(settings),
            months=settings.retrain_windows,
            over=settings.retrain_over,
            cooldown=timedelta(days=settings.retrain_cooldown_days),
        )


class Answered(msgspec.Struct, frozen=True):
    """The last retraining that was queued: its month, and when."""

    month: str
    at: datetime


class Need(msgspec.Struct, frozen=True):
    """`queued`: train again; `refused`: it would be due, but; `none`. With the reason."""

    status: Literal["queued", "refused", "none"]
    reason: str


def need(months: list[JudgedMonth], rule: Rule, last: Answered | None, now: datetime) -> Need:
    """Judge the months, the latest last.

    A month that a retraining has answered counts no more, so that one drift is not answered twice.
    """
    latest = months[-1]
    if latest.model_version == FLOOR:
        return Need("none", f"The floor table scored {latest.month}: it judges no model.")
    if not latest.grounds(rule.limits):
        return Need("none", f"{latest.month} is under its thresholds.")
    over = [
        each
        for each in months[-rule.months :]
        if each.grounds(rule.limits) and not (last and each.month <= last.month)
    ]
    if len(over) < rule.over:
        return Need(
            "none",
            f"{len(over)} of the last {rule.months} months over a threshold, {rule.over} needed.",
        )
    told = "; ".join(f"{each.month}: {', '.join(each.grounds(rule.limits))}" for each in over)
    return _refusal(over, rule, last, now, told) or Need("queued", told)


def _refusal(
    over: list[JudgedMonth], rule: Rule, last: Answered | None, now: datetime, told: str
) -> Need | None:
    gaps = {each.month: each.gaps(rule.limits) for each in over}
    if damaged := {month: found for month, found in gaps.items() if found}:
        said = "; ".join(f"{month}: {', '.join(found)}" for month, found in damaged.items())
        return Need("refused", f"The data are damaged, not the city changed. {said}. ({told})")
    if last and now - last.at < rule.cooldown:
        return Need(
            "refused",
            f"The last one was queued {last.at:%Y-%m-%d %H:%M} UTC, less than"
            f" {rule.cooldown.total_seconds() / 86_400:g} days ago. ({told})",
        )
    return None
