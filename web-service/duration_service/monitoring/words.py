"""Figures, moments and shares as a person reads them; what was not measured is a dash."""

import math
from datetime import UTC, datetime, timedelta
from typing import Final

NONE: Final = "\N{EN DASH}"
# Seconds of each, the longest first.
_SPANS: Final = {"day": 86_400, "hour": 3_600, "minute": 60}


def minutes(value: float | None) -> str:
    """A duration or error in minutes, such as 3.91."""
    return number(value, "{:.2f}")


def percent(share: float | None) -> str:
    """A share from 0 to 1, such as 80.5%."""
    return number(share, "{:.1%}")


def count(value: int | None) -> str:
    """A number of things, such as 12,345."""
    return number(value, "{:,}")


def number(value: float | None, form: str) -> str:
    """The value in that form."""
    return NONE if value is None or not math.isfinite(value) else form.format(value)


def moment(at: datetime | None) -> str:
    """A time in UTC to the minute."""
    return NONE if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def hours(length: timedelta) -> str:
    """Such as `24 h`."""
    return f"{length / timedelta(hours=1):g} h"


def day(at: datetime | None) -> str:
    """Its date in UTC."""
    return moment(at)[:10]


def ago(at: datetime, now: datetime) -> str:
    """How long before `now`, in the largest whole unit."""
    seconds = (now - at).total_seconds()
    for unit, length in _SPANS.items():
        if seconds >= length:
            return f"{plural(int(seconds // length), unit)} ago"
    return "just now"


def lasted(start: datetime | None, end: datetime | None) -> str:
    """From one moment to another."""
    if start is None or end is None:
        return NONE
    seconds = round((end - start).total_seconds())
    return f"{seconds // 60} min {seconds % 60:02} s" if seconds >= 60 else f"{seconds} s"


def plural(number: int, unit: str) -> str:
    """Such as "1 day" and "2 days"."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def address(url: str | None) -> str:
    """A link that comes from the database, and that a browser follows to a page and no further."""
    return url if url and url.startswith(("http://", "https://")) else ""
