"""Rows as the City writes them: CSV and JSON of SODA 2.1 and 3.

CSV quotes every value and leaves nulls empty. JSON has numbers as strings, points as GeoJSON, and
leaves null fields out; rows are joined by a newline and a comma.
"""

import io
import json
import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

POINT = re.compile(r"POINT \((\S+) (\S+)\)")


def as_text(rows: pa.Table) -> pa.Table:
    """All values as text: `8`, `13.75`, `2021-09-30T23:45:00.000`."""
    columns = []
    for column in rows.columns:
        text = column.cast(pa.string())
        if pa.types.is_timestamp(column.type):
            text = pc.replace_substring(text, " ", "T", max_replacements=1)
        columns.append(text)
    return pa.table(columns, names=rows.column_names)


def to_csv(rows: pa.Table) -> bytes:
    """The rows below a line of names."""
    out = io.BytesIO()
    pa_csv.write_csv(as_text(rows), out, pa_csv.WriteOptions(quoting_style="all_valid"))
    return out.getvalue()


def to_json(rows: pa.Table, types: list[str]) -> bytes:
    """The rows as a list of objects."""
    points = {name for name, kind in zip(rows.column_names, types, strict=True) if kind == "point"}
    lines = [
        json.dumps(record(row, points), separators=(",", ":")) for row in as_text(rows).to_pylist()
    ]
    return ("[" + "\n,".join(lines) + "]\n").encode()


def record(row: dict[str, str | None], points: set[str]) -> dict[str, Any]:
    """One object."""
    known = {name: value for name, value in row.items() if value is not None}
    return {name: geojson(value) if name in points else value for name, value in known.items()}


def geojson(point: str) -> dict[str, Any]:
    """`POINT (-87.6 41.9)` as GeoJSON."""
    match = POINT.fullmatch(point)
    coordinates = [float(match[1]), float(match[2])] if match else []
    return {"type": "Point", "coordinates": coordinates}
