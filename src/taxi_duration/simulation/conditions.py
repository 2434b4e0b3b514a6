"""What `$where` means: conditions on columns, as Arrow filters and as spans of time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from taxi_duration.errors import SoqlError
from taxi_duration.simulation.columns import ARROW_TYPES, START, type_of
from taxi_duration.simulation.source import EVER, Window

Operator = Literal["=", "<", "<=", ">", ">="]
Value = str | float | datetime


@dataclass(frozen=True)
class Comparison:
    """A column against a value of its type."""

    column: str
    operator: Operator
    value: Value


@dataclass(frozen=True)
class IsNull:
    """A column without a value."""

    column: str


@dataclass(frozen=True)
class Not:
    """The opposite; of an unknown it is unknown, as in SQL."""

    condition: "Condition"


@dataclass(frozen=True)
class And:
    """Both."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True)
class Or:
    """Either."""

    left: "Condition"
    right: "Condition"


Condition = Comparison | IsNull | Not | And | Or


def literal(column: str, value: str | float) -> Value:
    """A value of the query as one of the column's type. Raises SoqlError where it is none."""
    kind = type_of(column)
    try:
        if kind == "number":
            return float(value)
        if kind == "floating_timestamp" and isinstance(value, str):
            return milliseconds(datetime.fromisoformat(value))
        if kind == "text" and isinstance(value, str):
            return value
    except ValueError:
        pass
    message = f"Type mismatch: {value!r} cannot be compared with {column}, a {kind}"
    raise SoqlError("query.soql.type-mismatch", message, {"column": column})


def milliseconds(moment: datetime) -> datetime:
    """The moment as the City stores it: without a zone, to the millisecond."""
    return moment.replace(tzinfo=None, microsecond=moment.microsecond // 1000 * 1000)


def arrow_filter(condition: Condition) -> pc.Expression:
    """The rows for which the condition holds."""
    match condition:
        case Comparison(column, operator, value):
            typed = pa.scalar(value, ARROW_TYPES[type_of(column)])
            return compare(pc.field(column), operator, typed)
        case IsNull(column):
            return pc.field(column).is_null()
        case Not(inner):
            return ~arrow_filter(inner)
        case And(left, right):
            return arrow_filter(left) & arrow_filter(right)
        case Or(left, right):
            return arrow_filter(left) | arrow_filter(right)


def compare(column: pc.Expression, operator: Operator, value: pa.Scalar) -> pc.Expression:
    """One comparison."""
    match operator:
        case "=":
            return column == value
        case "<":
            return column < value
        case "<=":
            return column <= value
        case ">":
            return column > value
        case ">=":
            return column >= value


def window_of(condition: Condition | None) -> Window:
    """A span of start times outside which the condition never holds."""
    match condition:
        case And(left, right):
            return window_of(left) & window_of(right)
        case Comparison(column, operator, datetime() as value) if column == START:
            after = value + timedelta(milliseconds=1)
            start = {">=": value, "=": value, ">": after}.get(operator, EVER.start)
            end = {"<": value, "<=": after, "=": after}.get(operator, EVER.end)
            return Window(start, end)
        case _:
            return EVER
