"""Real trips from files, served as the City serves its own."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from taxi_duration.errors import NoTripsError, TripSchemaError, TripsError
from taxi_duration.simulation.columns import ARROW_TYPES, COLUMNS, ROW_ID, START
from taxi_duration.simulation.source import Window

# The City's API writes ISO times; the portal's export writes 01/19/2024 05:00:00 PM.
TIME_FORMATS = [pa_csv.ISO8601, "%m/%d/%Y %I:%M:%S %p"]


class TripFiles:
    """A source of trips: the rows of Parquet and CSV files, with missing columns empty."""

    name: Literal["files"] = "files"

    def __init__(self, paths: Sequence[Path]) -> None:
        """Read all files. Raises TripsError naming the file that cannot be used."""
        rows = pa.concat_tables([read(path) for path in paths])
        rows = rows.filter(pc.is_valid(rows[START]))
        if not rows.num_rows:
            raise NoTripsError(f"There are no trips in {', '.join(map(str, paths))}.")
        rows = rows.take(pc.sort_indices(rows[START])).combine_chunks()
        self._trips = rows.append_column(ROW_ID, row_ids(rows.num_rows))
        self._starts = rows[START].to_numpy()

    def __str__(self) -> str:
        first, last = self._starts[[0, -1]].astype("datetime64[D]")
        return f"{len(self._starts):,} trips from files ({first} to {last})"

    def parts(self, window: Window, newest_first: bool = False) -> Iterator[pa.Table]:
        """One table a day that has trips."""
        first, end = np.searchsorted(self._starts, window.bounds)
        days = np.unique(self._starts[first:end].astype("datetime64[D]"))
        edges = [first, *(first + np.searchsorted(self._starts[first:end], days[1:])), end]
        pieces = list(pairwise(edges)) if len(days) else []
        for begin, until in reversed(pieces) if newest_first else pieces:
            yield self._trips.slice(begin, until - begin)


def read(path: Path) -> pa.Table:
    """The trips of one file, all the City's columns with their types."""
    try:
        raw = read_csv(path) if path.suffix.lower() == ".csv" else pq.read_table(path)
    except FileNotFoundError as error:
        raise TripsError(
            f"{path} does not exist.", "Give Parquet or CSV files of trips."
        ) from error
    except (OSError, pa.ArrowInvalid) as error:
        raise TripsError(
            f"{path} cannot be read: {error}.", "Give Parquet or CSV files."
        ) from error
    raw = raw.rename_columns([column_name(name) for name in raw.column_names])
    if START not in raw.column_names:
        raise TripSchemaError(f"{path} has no column {START}.", "Give files of the City's trips.")
    return pa.table({name: column(raw, name, path) for name in COLUMNS})


def read_csv(path: Path) -> pa.Table:
    """A CSV file, of the API or exported by the portal."""
    with pa_csv.open_csv(path) as reader:
        names = reader.schema.names
    kinds = {name: COLUMNS.get(column_name(name)) for name in names}
    options = pa_csv.ConvertOptions(
        column_types={name: ARROW_TYPES[kind] for name, kind in kinds.items() if kind},
        timestamp_parsers=TIME_FORMATS,
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    return pa_csv.read_csv(path, convert_options=options)


def column_name(name: str) -> str:
    """The API's name of a column: `Dropoff Centroid  Location` is `dropoff_centroid_location`."""
    return re.sub(r"\s+", "_", name.strip().lower())


def column(raw: pa.Table, name: str, path: Path) -> pa.ChunkedArray:
    """A column as the City's type, all null where the file has none."""
    kind = ARROW_TYPES[COLUMNS[name]]
    if name not in raw.column_names:
        return pa.chunked_array([pa.nulls(raw.num_rows, kind)])
    try:
        return raw[name].cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise TripSchemaError(f"{path}: {name} cannot be read as {kind}: {error}.") from error


def row_ids(count: int) -> pa.Array:
    """An id for each row, by its place: the same next time, and in no order."""
    # The finalizer of SplitMix64 maps every place to another number that looks random.
    mixed = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    digits = pa.array([f"{number:016x}" for number in mixed.tolist()])
    return pc.binary_join_element_wise("row-", digits, "")
