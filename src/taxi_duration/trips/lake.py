"""The lake: raw months as Parquet, clean trips and their quarantine as Delta tables, in S3.

What comes from different sources lies apart and never mixes.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from taxi_duration.errors import NoTripsError, StorageError, TripsError
from taxi_duration.storage import Storage
from taxi_duration.trips.city_api import LoadedMonth
from taxi_duration.trips.clean import QUARANTINE_SCHEMA, REASON, CleanMonth
from taxi_duration.trips.months import Month
from taxi_duration.trips.schema import TRIP_SCHEMA

log = logging.getLogger(__name__)

MONTH: Final = "month"
# A model must stay able to name the version it was trained on; Delta forgets after 30 days.
KEPT: Final = {
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 3650 days",
}


class Lake:
    """All that is stored of one source's trips; months are the partitions of both tables.

    Whatever reads or writes raises StorageError where the S3 server refuses or does not answer.
    """

    def __init__(self, storage: Storage, source: str) -> None:
        self.uri = storage.uri(f"lake/{source}/trips")
        self.quarantine_uri = storage.uri(f"lake/{source}/quarantine")
        self._storage = storage
        self._source = source
        self._raw = f"raw/{source}"

    def write_raw(self, loaded: LoadedMonth) -> None:
        """Replaces the raw month, whole or not at all; its metadata hold cap and origin.

        Raises TripsError for a month of another source.
        """
        if loaded.source != self._source:
            raise TripsError(
                f"{loaded.month} comes from {loaded.source!r}, the lake is of {self._source!r}.",
                "Sources never mix: run the pipeline again.",
            )
        made_from = {"cap": str(loaded.asked), "origin": loaded.origin}
        self._storage.write_table(self._raw_key(loaded.month), loaded.trips, made_from)

    def read_raw(self, month: Month) -> pa.Table:
        """The raw month in TRIP_SCHEMA, in the order in which it was loaded.

        Raises NoTripsError where it has not been loaded.
        """
        self._raw_head(month)
        return self._storage.read_table(self._raw_key(month))

    def raw_made_from(self, month: Month) -> tuple[int, str] | None:
        """Cap (0: none) and origin of the raw month; None where it was not loaded."""
        metadata = self._storage.metadata(self._raw_key(month))
        return None if metadata is None else (int(metadata["cap"]), metadata["origin"])

    def raw_written_at(self, month: Month) -> datetime:
        """When the raw month came, UTC; raises NoTripsError where it has not been loaded."""
        written: datetime = self._raw_head(month)["LastModified"]
        return written

    def raw_rows(self, month: Month) -> int:
        """Rows of the raw month; raises NoTripsError where it has not been loaded."""
        self._raw_head(month)
        path = f"{self._storage.bucket}/{self._raw_key(month)}"
        with self._storage.errors():
            return int(pq.read_metadata(path, filesystem=self._storage.filesystem).num_rows)

    def replace_month(self, month: Month, clean: CleanMonth) -> int:
        """Replaces the month's trips in one commit and returns the version which that makes.

        The quarantine is replaced just before, in a commit of its own. Whatever is interrupted,
        each table holds the month as it was or as it is to be, and the next call mends the rest.
        """
        try:
            with self._storage.errors():
                self._replace(self.quarantine_uri, month, clean.quarantine)
                return self._replace(self.uri, month, clean.trips)
        except DeltaError as error:
            raise StorageError(
                f"{month} could not be written to {self.uri}: {error}.",
                "Run the pipeline again for it; what was not replaced is as it was.",
            ) from error

    def read(
        self,
        months: Sequence[Month],
        *,
        version: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """The trips of `months`, as they are now or were at `version`; always in the same order.

        Sorted by start, then by the other columns. Raises NoTripsError naming months not there.
        """
        table = self._open(self.uri, version)
        there = set(_rows(table)) if table else set()
        missing = [str(month) for month in months if str(month) not in there]
        if table is None or missing:
            raise NoTripsError(
                f"{self.uri} has no trips of {', '.join(missing)}.", "Run the pipeline for them."
            )
        names = list(columns or TRIP_SCHEMA.names)
        with self._storage.errors():
            trips = table.to_pyarrow_table(
                filters=[(MONTH, "in", [str(month) for month in months])], columns=names
            )
        first = [name for name in ("trip_start_timestamp", "trip_id") if name in names]
        order = dict.fromkeys([*first, *names], "ascending")
        return trips.combine_chunks().sort_by(list(order.items()))

    def find(self, month: Month, trip_ids: Sequence[str], *, version: int) -> pa.Table:
        """`trip_id` and `trip_seconds` of those of the month's trips that have one of the ids.

        The others are read past, and never held in memory.
        """
        table = self._open(self.uri, version)
        names = ["trip_id", "trip_seconds"]
        if table is None or not trip_ids:
            return TRIP_SCHEMA.empty_table().select(names)
        wanted = (ds.field(MONTH) == str(month)) & ds.field("trip_id").isin(trip_ids)
        with self._storage.errors():
            return table.to_pyarrow_dataset().to_table(columns=names, filter=wanted)

    def rows(self) -> dict[str, int]:
        """Trips of each month, by what the table's log says."""
        table = self._open(self.uri)
        return dict(sorted(_rows(table).items())) if table else {}

    def quarantined(self) -> dict[str, dict[str, int]]:
        """Quarantined rows of each month by reason."""
        table = self._open(self.quarantine_uri)
        counts: dict[str, dict[str, int]] = {}
        if table is None:
            return counts
        with self._storage.errors():
            rows = table.to_pyarrow_table(columns=[MONTH, REASON])
        groups = rows.group_by([MONTH, REASON]).aggregate([([], "count_all")])
        for row in groups.sort_by([(MONTH, "ascending"), (REASON, "ascending")]).to_pylist():
            counts.setdefault(row[MONTH], {})[row[REASON]] = row["count_all"]
        return counts

    def version(self) -> int:
        """The version of the trips table; raises NoTripsError where there is none yet."""
        table = self._open(self.uri)
        if table is None:
            raise NoTripsError(f"There is no table at {self.uri} yet.", "Run the pipeline first.")
        return int(table.version())

    def _raw_key(self, month: Month) -> str:
        return f"{self._raw}/{month}.parquet"

    def _raw_head(self, month: Month) -> dict[str, Any]:
        found = self._storage.head(self._raw_key(month))
        if found is None:
            key = self._storage.uri(self._raw_key(month))
            raise NoTripsError(f"{month} has not been loaded: there is no {key}.", "Load it first.")
        return found

    def _open(self, uri: str, version: int | None = None) -> DeltaTable | None:
        try:
            with self._storage.errors():
                return DeltaTable(uri, version=version, storage_options=self._storage.delta_options)
        except TableNotFoundError:
            self._storage.check_bucket()
            return None

    # Two that replace the same month conflict, and so do two that create the table.
    @retry(
        retry=retry_if_exception_type(CommitFailedError),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        stop=stop_after_attempt(12),
        before_sleep=before_sleep_log(log, logging.INFO),
        reraise=True,
    )
    def _replace(self, uri: str, month: Month, rows: pa.Table) -> int:
        """Replaces a month's rows in the table as it is now; returns the new version."""
        schema = QUARANTINE_SCHEMA if uri == self.quarantine_uri else TRIP_SCHEMA
        table = DeltaTable.create(
            uri,
            schema=schema.append(pa.field(MONTH, pa.string())),
            mode="ignore",
            partition_by=[MONTH],
            configuration=KEPT,
            storage_options=self._storage.delta_options,
        )
        write_deltalake(
            table,
            rows.append_column(MONTH, pa.repeat(str(month), rows.num_rows)),
            mode="overwrite",
            predicate=f"{MONTH} = '{month}'",
        )
        log.info("%s: %d rows of %s, version %d", uri, rows.num_rows, month, table.version())
        return int(table.version())


def _rows(table: DeltaTable) -> dict[str, int]:
    files: Any = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    rows: dict[str, int] = {}
    for file in files:
        month = file[f"partition.{MONTH}"]
        rows[month] = rows.get(month, 0) + file["num_records"]
    return rows
