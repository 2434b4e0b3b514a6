"""A month of trips, the unit in which trips are published, loaded and reported."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from taxi_duration.errors import SettingsError


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, Chicago local time; written `2019-03`."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The month that `2019-03` names. Raises SettingsError for anything else.

        A year outside 2000 to 2099 is a slip of the keyboard: the City's trips begin in 2013.
        """
        match = re.fullmatch(r"(20\d{2})-(\d{2})", text.strip(), re.ASCII)
        if not match or not 1 <= int(match[2]) <= 12:
            raise SettingsError(f"{text!r} is no month.", "Write it as 2019-03.")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, moment: date) -> Self:
        """The month that a date or time lies in."""
        return cls(moment.year, moment.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def __add__(self, months: int) -> "Month":
        years, month = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(years, month + 1)

    def __sub__(self, months: int) -> "Month":
        return self + -months

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return (self + 1).start

    @property
    def days(self) -> list[date]:
        """Its days in order."""
        first = self.start.date()
        return [first + timedelta(days=n) for n in range((self.end - self.start).days)]

    def to(self, last: "Month") -> list["Month"]:
        """All months from this one to `last`, both included; none where `last` is earlier."""
        count = (last.year - self.year) * 12 + last.number - self.number + 1
        return [self + n for n in range(max(count, 0))]
