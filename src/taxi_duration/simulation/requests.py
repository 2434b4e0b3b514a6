"""Queries as they arrive: parameters of SODA 2.1, and the body of SODA 3."""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from taxi_duration.errors import SoqlError
from taxi_duration.simulation.columns import COLUMNS, ROW_ID
from taxi_duration.simulation.conditions import And, Comparison, Condition, literal
from taxi_duration.simulation.query import ALL_COLUMNS, Output, Query
from taxi_duration.simulation.soql import (
    parse_order,
    parse_select,
    parse_statement,
    parse_where,
)

# SODA 2.1 gives 1,000 rows unless told otherwise, and knows no most.
DEFAULT_LIMIT = 1_000
CLAUSES = ("$select", "$where", "$order", "$limit", "$offset", "$query")


def query_of_parameters(parameters: Mapping[str, str]) -> Query:
    """The query of a SODA 2.1 request. Raises SoqlError."""
    given = {name: text for name, text in parameters.items() if not name.startswith("$$")}
    unknown = [name for name in given if name not in CLAUSES and name not in COLUMNS]
    if unknown:
        raise SoqlError("query.compiler.malformed", f"Unrecognized arguments {unknown}")
    if "$query" in given:
        query = parse_statement(given["$query"])
        return query if query.limit is not None else replace(query, limit=DEFAULT_LIMIT)
    return Query(
        select=parse_select(given["$select"]) if "$select" in given else ALL_COLUMNS,
        where=condition_of(given),
        order=parse_order(given["$order"]) if "$order" in given else (),
        limit=whole_number(given.get("$limit", DEFAULT_LIMIT), "$limit"),
        offset=whole_number(given.get("$offset", 0), "$offset"),
    )


def condition_of(given: Mapping[str, str]) -> Condition | None:
    """`$where` and the simple filters (`company=Flash Cab`), all of which must hold."""
    conditions: list[Condition] = [parse_where(given["$where"])] if "$where" in given else []
    conditions += [
        Comparison(name, "=", literal(name, text))
        for name, text in given.items()
        if name in COLUMNS
    ]
    return reduce(And, conditions) if conditions else None


def query_of_body(body: Any, query_form: bool) -> Query:
    """The query of a SODA 3 request: `{"query": …, "page": {…}}`. Raises SoqlError.

    Only `query.json` (not `export.csv`) has pages, and adds the row's id unless told not to.
    """
    if not isinstance(body, dict) or not isinstance(body.get("query", ""), str):
        raise SoqlError("invalid_request", "The body must be a JSON object with a query")
    query = parse_statement(body.get("query") or "SELECT *")
    if not query_form:
        return query
    if body.get("includeSynthetic", True) and not query.aggregated:
        query = with_row_id(query)
    return on_page(query, body["page"]) if isinstance(body.get("page"), dict) else query


def with_row_id(query: Query) -> Query:
    """The query with the row's id before its columns."""
    if any(output.column == ROW_ID for output in query.select):
        return query
    return replace(query, select=(Output(ROW_ID, ROW_ID), *query.select))


def on_page(query: Query, page: Mapping[str, Any]) -> Query:
    """The part of the query's rows that is on a page; the first page is 1."""
    number = whole_number(page.get("pageNumber", 1), "pageNumber", least=1)
    size = whole_number(page.get("pageSize", DEFAULT_LIMIT), "pageSize")
    before = (number - 1) * size
    left = size if query.limit is None else max(min(size, query.limit - before), 0)
    return replace(query, limit=left, offset=query.offset + before)


def whole_number(value: Any, name: str, least: int = 0) -> int:
    """The value as a count. Raises SoqlError."""
    text = str(value)
    if not text.isdigit() or int(text) < least:
        raise SoqlError("query.compiler.malformed", f"{name} must be a whole number, not {text!r}")
    return int(text)
