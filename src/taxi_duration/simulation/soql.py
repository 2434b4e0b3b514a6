"""SoQL, the City's query language: as much of it as readers of trips use.

    select     := '*' | ':*' | (column | count(*) | count(c) | min(c) | max(c)) [[as] alias], …
    where      := comparisons (= != <> < <= > >=), between … and, [not] in (…), is [not] null,
                  joined by and, or, not, parentheses
    order      := column [asc | desc], …
    statement  := select … [where …] [order by …] [limit n] [offset n]

Anything else raises SoqlError with the City's code for it. https://dev.socrata.com/docs/queries
"""

import re
from collections.abc import Callable, Iterator
from typing import Never, TypeVar

from taxi_duration.errors import SoqlError
from taxi_duration.simulation.columns import COLUMNS, ROW_ID
from taxi_duration.simulation.conditions import (
    And,
    Comparison,
    Condition,
    IsNull,
    Not,
    Operator,
    Or,
    literal,
)
from taxi_duration.simulation.query import ALL_COLUMNS, Order, Output, Query

T = TypeVar("T")

TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>:?[A-Za-z_]\w*|`[^`]+`)
    |(?P<sign><=|>=|!=|<>|:\*|[=<>(),*])
    |(?P<end>\Z))""",
    re.VERBOSE,
)
OPERATORS: dict[str, Operator] = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
AGGREGATES = ("count", "min", "max")
CLAUSES = ("as", "from", "where", "order", "group", "having", "limit", "offset", "search")


def parse_select(text: str) -> tuple[Output, ...]:
    """`$select`."""
    return Parser(text).whole(Parser.select)


def parse_where(text: str) -> Condition:
    """`$where`."""
    return Parser(text).whole(Parser.disjunction)


def parse_order(text: str) -> tuple[Order, ...]:
    """`$order`."""
    return Parser(text).whole(Parser.order)


def parse_statement(text: str) -> Query:
    """`$query`, and the query of SODA 3."""
    return Parser(text).whole(Parser.statement)


class Parser:
    """Recursive descent, one method a rule."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._next = 0

    def whole(self, rule: "Callable[[Parser], T]") -> T:
        """What the rule makes of the text, all of which it must take."""
        result = rule(self)
        if self._kind != "end":
            self._fail()
        return result

    def statement(self) -> Query:
        """A whole query."""
        self._expect("select")
        select = self.select()
        where = self.disjunction() if self._accept("where") else None
        order: tuple[Order, ...] = ()
        if self._accept("order"):
            self._expect("by")
            order = self.order()
        limit = self._count() if self._accept("limit") else None
        offset = self._count() if self._accept("offset") else 0
        return Query(select, where, order, limit, offset)

    def select(self) -> tuple[Output, ...]:
        """The columns to give."""
        outputs = [output for item in self._list(Parser._output) for output in item]
        if len({bool(output.aggregate) for output in outputs}) > 1:
            plain = next(output.name for output in outputs if not output.aggregate)
            raise SoqlError(
                "query.soql.column-not-in-group-bys", f"Column not in group bys: {plain}"
            )
        if len({output.name for output in outputs}) < len(outputs):
            raise SoqlError("query.soql.duplicate-alias", "Two columns have the same name")
        return tuple(outputs)

    def order(self) -> tuple[Order, ...]:
        """The keys of the order."""
        return tuple(self._list(Parser._order_key))

    def disjunction(self) -> Condition:
        """A condition, the loosest binding first."""
        left = self._conjunction()
        while self._accept("or"):
            left = Or(left, self._conjunction())
        return left

    def _conjunction(self) -> Condition:
        left = self._negation()
        while self._accept("and"):
            left = And(left, self._negation())
        return left

    def _negation(self) -> Condition:
        if self._accept("not"):
            return Not(self._negation())
        if self._accept("("):
            inner = self.disjunction()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        column = self._column()
        if self._accept("is"):
            negated = self._accept("not")
            self._expect("null")
            return Not(IsNull(column)) if negated else IsNull(column)
        if self._accept("not"):
            return Not(self._among(column))
        if self._word in ("between", "in"):
            return self._among(column)
        return self._operator(column)

    def _among(self, column: str) -> Condition:
        if self._accept("between"):
            low = self._value(column, ">=")
            self._expect("and")
            return And(low, self._value(column, "<="))
        self._expect("in")
        self._expect("(")
        first, *others = self._list(lambda parser: parser._value(column, "="))
        self._expect(")")
        result: Condition = first
        for other in others:
            result = Or(result, other)
        return result

    def _operator(self, column: str) -> Condition:
        if self._accept("!=") or self._accept("<>"):
            return Not(self._value(column, "="))
        operator = OPERATORS.get(self._word) or self._fail()
        self._take()
        return self._value(column, operator)

    def _value(self, column: str, operator: Operator) -> Comparison:
        if self._kind not in ("text", "number"):
            self._fail()
        token = self._take()
        value = token[1:-1].replace("''", "'") if token.startswith("'") else float(token)
        return Comparison(column, operator, literal(column, value))

    def _output(self) -> tuple[Output, ...]:
        if self._accept("*"):
            return ALL_COLUMNS
        if self._accept(":*"):
            return (Output(ROW_ID, ROW_ID),)
        if self._word in AGGREGATES and self._tokens[self._next + 1][1] == "(":
            return (self._aggregate(),)
        column = self._column()
        return (Output(self._alias() or column, column),)

    def _aggregate(self) -> Output:
        name = self._take().lower()
        self._expect("(")
        column = None if name == "count" and self._accept("*") else self._column()
        self._expect(")")
        alias = self._alias() or (f"{name}_{column}" if column else name)
        return Output(alias, column, name)  # type: ignore[arg-type]

    def _alias(self) -> str | None:
        if self._accept("as") or (self._kind == "name" and self._word not in CLAUSES):
            if self._kind != "name":
                self._fail()
            return self._take().strip("`").lower()
        return None

    def _order_key(self) -> Order:
        column = self._column()
        descending = self._accept("desc")
        if not descending:
            self._accept("asc")
        return Order(column, descending)

    def _column(self) -> str:
        if self._kind != "name":
            self._fail()
        name = self._take().strip("`").lower()
        if self._word == "(":
            raise SoqlError("query.soql.no-such-function", f"No such function: {name}")
        if name != ROW_ID and name not in COLUMNS:
            raise SoqlError(
                "query.soql.no-such-column", f"No such column: {name}", {"column": name}
            )
        return name

    def _count(self) -> int:
        if self._kind != "number" or not self._tokens[self._next][1].isdigit():
            self._fail()
        return int(self._take())

    def _list(self, rule: "Callable[[Parser], T]") -> list[T]:
        items = [rule(self)]
        while self._accept(","):
            items.append(rule(self))
        return items

    @property
    def _kind(self) -> str:
        return self._tokens[self._next][0]

    @property
    def _word(self) -> str:
        return self._tokens[self._next][1].lower()

    def _take(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _accept(self, word: str) -> bool:
        if self._kind in ("name", "sign") and self._word == word:
            self._next += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            self._fail(f"Expected {word.upper()}")

    def _fail(self, cause: str = "Could not parse SoQL query") -> Never:
        at = self._tokens[self._next][2]
        raise malformed(self._text, at, cause)


def tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and position of each token; the last one is of kind `end`."""
    at = 0
    while True:
        match = TOKEN.match(text, at)
        if not match or not match.lastgroup:
            raise malformed(text, at, "Unexpected character")
        yield match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
        if match.lastgroup == "end":
            return
        at = match.end()


def malformed(text: str, at: int, cause: str) -> SoqlError:
    """The error for text that no rule takes, with its place."""
    position = {"row": 1, "column": at + 1, "line": text}
    return SoqlError(
        "query.compiler.malformed", f"{cause} at line 1 character {at + 1}", {"position": position}
    )
