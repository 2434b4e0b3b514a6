"""Trips from files: Parquet or CSV with the City's column names, as whoever has them spelt them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxi_duration.errors import NoTripsError, TripSchemaError, TripsError
from taxi_duration.trips.schema import REQUIRED_COLUMNS, column_name, conform, read_csv_text

_REMEDY: Final = "Give Parquet or CSV files of trips."
_NEEDED: Final = (
    f"A file needs the columns {', '.join(REQUIRED_COLUMNS)}, spelt so or as in the City's exports;"
    " others are not read."
)


def read_trips(paths: Sequence[Path], *, min_minutes: float, max_minutes: float) -> pa.Table:
    """The REQUIRED_COLUMNS of the trips in all files that last between the bounds, in time order.

    The bounds themselves do not count, unlike in `trips.clean`, which keeps them: the figures in
    docs/accuracy.md are without them (40,907 trips on 8 January 2019; with them it is 41,204).
    Raises TripsError naming the file that cannot be used, NoTripsError where no trip is left.
    """
    rows = pa.concat_tables([_read(path) for path in paths])
    seconds = rows["trip_seconds"]
    lasting = pc.and_(pc.greater(seconds, min_minutes * 60.0), pc.less(seconds, max_minutes * 60.0))
    trips = rows.filter(pc.and_(lasting, rows["trip_start_timestamp"].is_valid()))
    if not trips.num_rows:
        raise NoTripsError(
            f"None of the {rows.num_rows} rows of {', '.join(map(str, paths))} is a trip of"
            f" {min_minutes:g} to {max_minutes:g} minutes.",
            _REMEDY,
        )
    return trips.take(pc.sort_indices(trips["trip_start_timestamp"]))


def _read(path: Path) -> pa.Table:
    try:
        is_csv = path.suffix.lower() == ".csv"
        raw = _needed(read_csv_text(path.read_bytes())) if is_csv else _read_parquet(path)
        return conform(raw).select(REQUIRED_COLUMNS)
    except FileNotFoundError as error:
        raise TripsError(f"{path} does not exist.", _REMEDY) from error
    except TripSchemaError as error:
        raise TripSchemaError(f"{path}: {error.cause}", _NEEDED) from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise TripsError(f"{path} cannot be read: {error}.", _REMEDY) from error


def _needed(table: pa.Table) -> pa.Table:
    """The table without columns that nobody reads, whatever they hold."""
    return table.select(_wanted(table.column_names) or table.column_names)


def _read_parquet(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        return file.read(_wanted(file.schema_arrow.names) or None)


def _wanted(names: Sequence[str]) -> list[str]:
    """The headers of the REQUIRED_COLUMNS; none where one of them is missing.

    A column that is missing is told with all that there are.
    """
    wanted = [name for name in names if column_name(name) in REQUIRED_COLUMNS]
    return wanted if len(wanted) >= len(REQUIRED_COLUMNS) else []
