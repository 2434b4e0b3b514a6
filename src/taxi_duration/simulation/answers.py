"""What a query answers, from a source of trips."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from taxi_duration.simulation.columns import START, TRIPS, ColumnType, type_of
from taxi_duration.simulation.conditions import arrow_filter, window_of
from taxi_duration.simulation.query import Output, Query
from taxi_duration.simulation.source import EVER, TripSource, Window

# The newer data set begins where the older one ends; both have the same columns.
NEWER_FROM = datetime(2024, 1, 1)
DATASETS = {
    "wrvz-psew": Window(EVER.start, NEWER_FROM),
    "ajtu-isnz": Window(NEWER_FROM, EVER.end),
}


def answer(query: Query, source: TripSource, dataset: str) -> pa.Table:
    """The rows that the query asks for, with its names, in its order. Raises SoqlError."""
    window = window_of(query.where) & DATASETS[dataset]
    if query.aggregated:
        values = [aggregate(output, query, source, window) for output in query.select]
        return pa.table(values, names=[output.name for output in query.select])
    rows = ordered(query, source, window)
    picked = [rows[output.column] for output in query.select]
    return pa.table(picked, names=[output.name for output in query.select])


def types(query: Query) -> list[ColumnType]:
    """The types of the answer's columns."""
    return [
        "number" if output.aggregate == "count" or output.column is None else type_of(output.column)
        for output in query.select
    ]


def ordered(query: Query, source: TripSource, window: Window) -> pa.Table:
    """The page of rows that the query asks for.

    In the source's own order, that of the start, only the days up to the page are looked at.
    """
    keys = [(order.column, order.descending) for order in query.order]
    by_start = not keys or keys[0][0] == START
    newest_first = by_start and bool(keys) and keys[0][1]
    end = None if query.limit is None else query.offset + query.limit
    found = [TRIPS.empty_table()]
    for part in matching(query, source, window, newest_first):
        found.append(sort(part, keys).slice(0, end))
        if by_start and end is not None and sum(table.num_rows for table in found) >= end:
            break
    rows = pa.concat_tables(found)
    return (rows if by_start else sort(rows, keys)).slice(query.offset, query.limit)


def sort(rows: pa.Table, keys: list[tuple[str, bool]]) -> pa.Table:
    """The rows by the keys; rows without a value come last."""
    if not keys:
        return rows
    by = [(column, "descending" if descending else "ascending") for column, descending in keys]
    return rows.take(pc.sort_indices(rows, sort_keys=by))


def matching(
    query: Query, source: TripSource, window: Window, newest_first: bool = False
) -> Iterator[pa.Table]:
    """The rows that meet the query's condition, part by part."""
    rule = arrow_filter(query.where) if query.where else None
    for part in source.parts(window, newest_first):
        yield part if rule is None else part.filter(rule)


def aggregate(output: Output, query: Query, source: TripSource, window: Window) -> pa.Array:
    """One count or bound, as an array of one."""
    column = output.column
    if column is None:
        return pa.array([float(sum(part.num_rows for part in matching(query, source, window)))])
    parts = (part[column] for part in matching(query, source, window))
    if output.aggregate == "count":
        return pa.array([float(sum(len(part) - part.null_count for part in parts))])
    if column == START:
        return first_bound(output, query, source, window)
    bound = pc.max if output.aggregate == "max" else pc.min
    kind = TRIPS.field(column).type
    return pa.array([bound(pa.array([bound(part) for part in parts], kind))], kind)


def first_bound(output: Output, query: Query, source: TripSource, window: Window) -> pa.Array:
    """The first or last start: that of the first part that has any, from that end."""
    newest = output.aggregate == "max"
    for part in matching(query, source, window, newest_first=newest):
        if part.num_rows:
            return part[START].slice(part.num_rows - 1 if newest else 0, 1).combine_chunks()
    return pa.nulls(1, TRIPS.field(START).type)
