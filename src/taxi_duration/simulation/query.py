"""A query as it was understood."""

from dataclasses import dataclass
from typing import Literal

from taxi_duration.simulation.columns import COLUMNS
from taxi_duration.simulation.conditions import Condition


@dataclass(frozen=True)
class Output:
    """One column of the answer; `column` is None for count(*)."""

    name: str
    column: str | None
    aggregate: Literal["", "count", "min", "max"] = ""


@dataclass(frozen=True)
class Order:
    """One key of the answer's order."""

    column: str
    descending: bool = False


# What `*` means.
ALL_COLUMNS = tuple(Output(name, name) for name in COLUMNS)


@dataclass(frozen=True)
class Query:
    """Rows to pick, order and cut; without a limit, all of them."""

    select: tuple[Output, ...] = ALL_COLUMNS
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0

    @property
    def aggregated(self) -> bool:
        """Whether the answer is one row of counts and bounds."""
        return any(output.aggregate for output in self.select)
