"""The tables of the schema `monitoring`, once: names, types, keys and the meaning of each column.

A change here needs a step in `monitoring/migrations/versions`; a test compares the two.
"""

from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects import registry

SCHEMA: Final = "monitoring"
_DIALECT: Final = registry.load("postgresql")()

metadata: Final = MetaData(
    schema=SCHEMA,
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s"},
)


def _key(name: str, kind: Any, comment: str) -> Column[Any]:
    return Column(name, kind, primary_key=True, comment=comment)


def _value(name: str, kind: Any, comment: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, kind, nullable=nullable, comment=comment)


def _month_of_source() -> tuple[Column[Any], Column[Any]]:
    return (
        _key("source", Text, "Where the trips come from: city, simulated or files."),
        _key("month", Date, "First day of the month that was reported."),
    )


def _reported_at() -> Column[Any]:
    return _value("reported_at", DateTime(timezone=True), "When the report was made.")


pipeline_runs: Final = Table(
    "pipeline_runs",
    metadata,
    _key("pipeline", Text, "Name of the pipeline."),
    _key("run_id", Text, "The run's number in Mage."),
    _value("month", Date, "First day of its month; none: not known yet.", nullable=True),
    _value("source", Text, "Where its trips come from; none: not known yet.", nullable=True),
    _value("status", Text, "How it ended: completed, failed or cancelled."),
    _value("started_at", DateTime(timezone=True), "When it started.", nullable=True),
    _value("ended_at", DateTime(timezone=True), "When it ended.", nullable=True),
    _value("error", Text, "What failed, and why; none: nothing.", nullable=True),
    comment="How each run of a pipeline ended.",
)

drift_months: Final = Table(
    "drift_months",
    metadata,
    *_month_of_source(),
    _value("model_version", Text, "Version that scored both sides; `floor`: the floor table."),
    _value("reference_months", ARRAY(Text), "Months that the month was compared with."),
    _value("reference_trips", Integer, "Trips of the reference months."),
    _value("current_trips", Integer, "Trips of the month."),
    _value("reference_sample", Integer, "Reference trips that Evidently read."),
    _value("current_sample", Integer, "Trips of the month that Evidently read."),
    _value("compared_columns", Integer, "Columns that were compared."),
    _value("drifted_columns", Integer, "Columns that drifted."),
    _value("drifted_share", Double, "Drifted columns by all compared, 0 to 1."),
    _value("threshold", Double, "Share from which the month counts as drifted, 0 to 1."),
    _value("drifted", Boolean, "Whether the month counts as drifted."),
    _value("lake_version", Integer, "Version of the table of trips that was read."),
    _value("report_uri", Text, "The report's HTML in S3."),
    _value("report_url", Text, "The report in the MLflow UI."),
    _reported_at(),
    comment="One drift report a month and source.",
)

drift_columns: Final = Table(
    "drift_columns",
    metadata,
    *_month_of_source(),
    _key("column_name", Text, "The column that was compared."),
    _value("method", Text, "Distance between the two distributions, as Evidently names it."),
    _value("score", Double, "The distance."),
    _value("threshold", Double, "Distance from which the column counts as drifted."),
    _value("drifted", Boolean, "Whether the column counts as drifted."),
    _reported_at(),
    comment="Drift of each column in each month.",
)

data_quality: Final = Table(
    "data_quality",
    metadata,
    *_month_of_source(),
    _key("dataset", Text, "`reference` or `current`."),
    _key("column_name", Text, "The column; all its rows are counted, not a sample."),
    _value("trips", Integer, "Rows."),
    _value("missing", Integer, "Rows without a value."),
    _value("missing_share", Double, "Rows without a value by all rows, 0 to 1."),
    _value("distinct_values", Integer, "Different values.", nullable=True),
    *(
        _value(name, Double, f"{text}; none for a category.", nullable=True)
        for name, text in {
            "mean": "Mean",
            "std": "Standard deviation",
            "p05": "5% quantile",
            "p25": "25% quantile",
            "p50": "Median",
            "p75": "75% quantile",
            "p95": "95% quantile",
        }.items()
    ),
    _reported_at(),
    comment="Counts, means and quantiles of each column in each month.",
)

performance: Final = Table(
    "performance",
    metadata,
    *_month_of_source(),
    _key("dataset", Text, "`reference` (what the model was trained on) or `current`."),
    _key("model_version", Text, "Version that predicted; `floor`: the floor table."),
    _value("trips", Integer, "Trips that were predicted; all, not a sample."),
    _value("mae", Double, "Mean absolute error, minutes."),
    _value("rmse", Double, "Root of the mean squared error, minutes."),
    _value("mape", Double, "Mean absolute error by the real duration, 0.25 is 25%."),
    _value("median_error", Double, "Median absolute error, minutes."),
    _value("bias", Double, "Mean of prediction minus real duration, minutes."),
    _value("within_5", Double, "Share within 5 minutes of the real duration, 0 to 1."),
    _value(
        "coverage_80",
        Double,
        "Share inside the 80% interval, 0 to 1; none: no interval was predicted.",
        nullable=True,
    ),
    _value(
        "interval_width",
        Double,
        "Mean width of the interval, minutes; none: no interval was predicted.",
        nullable=True,
    ),
    _reported_at(),
    comment="How well a model version predicted the trips of each month.",
)


def markdown() -> str:
    """All tables in Markdown, column by column: name, type, meaning."""
    return "\n\n".join(_table_in_markdown(table) for table in metadata.sorted_tables)


def _table_in_markdown(table: Table) -> str:
    lines = [f"## {table.fullname}", "", f"{table.comment}", ""]
    lines += ["| column | type | meaning |", "| --- | --- | --- |"]
    for column in table.columns:
        kind = column.type.compile(dialect=_DIALECT).lower()
        key = " (key)" if column.primary_key else ""
        lines.append(f"| `{column.name}`{key} | {kind} | {column.comment} |")
    return "\n".join(lines)
