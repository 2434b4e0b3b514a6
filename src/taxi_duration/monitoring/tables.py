"""The tables of the schema `monitoring`, once: names, types, keys and the meaning of each column.

A change here needs a step in `monitoring/migrations/versions`; a test compares the two.
"""

from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import JSONB

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


def _month_of_source(
    month: str = "First day of the month that was reported.",
) -> tuple[Column[Any], Column[Any]]:
    return (
        _key("source", Text, "Where the trips come from: city, simulated or files."),
        _key("month", Date, month),
    )


def _floor_mae() -> Column[Any]:
    return _value(
        "floor_mae",
        Double,
        "Mean absolute error of the floor table on the same trips, minutes; none: not measured.",
        nullable=True,
    )


def _window() -> tuple[Column[Any], Column[Any]]:
    return (
        _key("window_start", DateTime(timezone=True), "First moment of the window."),
        _key("window_end", DateTime(timezone=True), "First moment after it."),
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
    _value(
        "late_5",
        Double,
        "Share that took 5 or more minutes longer than predicted, 0 to 1; none: not measured.",
        nullable=True,
    ),
    _floor_mae(),
    _value(
        "served",
        Boolean,
        "Whether the version was champion at some time of the month; false: it is judged by trips"
        " that it never served. None: not measured.",
        nullable=True,
    ),
    _reported_at(),
    comment="How well a model version predicted the trips of each month.",
)

performance_segments: Final = Table(
    "performance_segments",
    metadata,
    *_month_of_source(),
    _key("model_version", Text, "Version that predicted; `floor`: the floor table."),
    _key("segment", Text, "`all`, or a place, band of hours or miles; segments overlap."),
    _value("trips", Integer, "Trips of the segment; all, not a sample."),
    _value("mae", Double, "Mean absolute error, minutes."),
    _value("mape", Double, "Mean absolute error by the real duration, 0.25 is 25%."),
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
    _value("late_5", Double, "Share that took 5 or more minutes longer than predicted, 0 to 1."),
    _floor_mae(),
    _reported_at(),
    comment="How well a model version predicted each segment of a month's trips.",
)

loaded_months: Final = Table(
    "loaded_months",
    metadata,
    *_month_of_source("First day of the month that was loaded."),
    _value("asked", Integer, "Most trips that were asked for; 0: all."),
    _value("loaded", Integer, "Rows that came."),
    _value("kept", Integer, "Rows that are trips, and in the lake."),
    _value("quarantined", Integer, "Rows that were put aside."),
    _value("loaded_at", DateTime(timezone=True), "When the rows came."),
    comment="What the lake has of each month, and since when.",
)

quarantined: Final = Table(
    "quarantined",
    metadata,
    *_month_of_source("First day of the month that was loaded."),
    _key("reason", Text, "Why these rows cannot be trips."),
    _value("trips", Integer, "Rows that were put aside for it."),
    _reported_at(),
    comment="Rows of each month that were put aside, by reason; no row: none was.",
)


gate_decisions: Final = Table(
    "gate_decisions",
    metadata,
    _key("model", Text, "Name of the registered model."),
    _key("run_id", Text, "The pipeline's run in MLflow, whose artifacts hold the whole decision."),
    _value("version", Text, "The candidate's version; none: not registered.", nullable=True),
    _value("source", Text, "Where its trips come from: city, simulated or files."),
    _value("month", Date, "First day of the month whose trips decided."),
    _value("promoted", Boolean, "Whether it became champion."),
    _value("reason", Text, "Why, in one line."),
    _value("champion", Text, "Version that served; none: there was none.", nullable=True),
    _value("rival", Text, "What it was compared with: that champion, or the floor."),
    _value("trips", Integer, "Trips that both were scored on."),
    *(
        _value(name, Double, f"{text}; none: not measured.", nullable=True)
        for name, text in {
            "mae": "The candidate's mean absolute error, minutes",
            "rival_mae": "The rival's on the same trips, minutes",
            "floor_mae": "The floor's on the same trips, minutes",
            "gain": "Minutes by which it is better (negative: worse)",
            "least_gain": "Lower end of the gain, by a paired bootstrap",
            "coverage_80": "Share of trips inside its 80% interval, 0 to 1",
            "milliseconds": "Time that the candidate takes to answer one trip",
            "interval_width": "Mean width of its 80% interval, minutes",
            "pinball": "Pinball loss, a mean over its three quantiles, minutes",
            "late_5": "Share that arrived 5 or more minutes later than it said, 0 to 1",
        }.items()
    ),
    _value("checks", JSONB, "Each rule: name, whether it is kept, and what was found."),
    _value("segments", JSONB, "Each large segment: name, trips, both errors, coverage."),
    _value("page_url", Text, "The decision's page in the MLflow UI."),
    _value("decided_at", DateTime(timezone=True), "When it was decided."),
    comment="What the gate decided of each candidate, and why.",
)

model_history: Final = Table(
    "model_history",
    metadata,
    Column(
        "id",
        BigInteger,
        Identity(always=True),
        primary_key=True,
        comment="Order of the changes.",
    ),
    _value("model", Text, "Name of the registered model."),
    _value("alias", Text, "`champion` (the version that serves) or `challenger`."),
    _value("action", Text, "promote, rollback, challenge, or `changed outside` of this project."),
    _value("from_version", Text, "Version that held the alias; none: no one.", nullable=True),
    _value("to_version", Text, "Version that holds it from now on; none: no one.", nullable=True),
    _value("changed_by", Text, "Who or what changed it; `unknown`: it happened outside."),
    _value("reason", Text, "Why."),
    _value("run_id", Text, "The pipeline's run in MLflow; none: a person.", nullable=True),
    _value("changed_at", DateTime(timezone=True), "When; from outside: when it was noticed."),
    comment="Every change of an alias; the database lets nobody change or remove a row.",
)

predictions: Final = Table(
    "predictions",
    metadata,
    _key("id", Uuid, "The prediction; all of one request share the first 26 digits."),
    _key("role", Text, "`champion` (its answer was sent) or `challenger` (it ran in shadow)."),
    Column(
        "predicted_at",
        DateTime(timezone=True),
        nullable=False,
        index=True,
        comment="When it was answered.",
    ),
    _value("trip_id", Text, "What the caller calls the trip; none: nothing.", nullable=True),
    _value("pickup_community_area", SmallInteger, "1 to 77; none: unknown.", nullable=True),
    _value("dropoff_community_area", SmallInteger, "1 to 77; none: unknown.", nullable=True),
    _value("trip_start_timestamp", DateTime, "Start of the trip, Chicago local time."),
    _value("prediction", Double, "Median of the duration, minutes."),
    _value("lower", Double, "Lower end of the 80% interval, minutes."),
    _value("upper", Double, "Upper end of the 80% interval, minutes."),
    _value("model_version", Text, "Version that predicted."),
    _value("run_id", Text, "Its run in MLflow."),
    _value("latency_seconds", Double, "Time from the request to the answer, of all its trips."),
    comment="Every answer of the service, once; older than `TAXI_PREDICTION_LOG_DAYS` are deleted.",
)

requests: Final = Table(
    "requests",
    metadata,
    _key("minute", DateTime(timezone=True), "First moment of the minute."),
    _key("instance", Text, "The process of the service that answered; a name of chance."),
    _key("status", Text, "How it answered: 2xx, 4xx (refused) or 5xx (failed)."),
    _value("requests", Integer, "Requests that it answered so."),
    comment="Requests for predictions by minute and status, those included that were refused"
    " before they were read. Those older than `TAXI_PREDICTION_LOG_DAYS` are deleted.",
)

outcomes: Final = Table(
    "outcomes",
    metadata,
    _key("prediction_id", Uuid, "The prediction in `predictions`, also once it is deleted there."),
    _key("role", Text, "`champion` (its answer was sent) or `challenger` (it ran in shadow)."),
    _value("trip_id", Text, "The trip, as the City calls it."),
    _value("source", Text, "Where the trip comes from: city, simulated or files."),
    Column(
        "month",
        Date,
        nullable=False,
        index=True,
        comment="First day of the month that brought the outcome.",
    ),
    _value("model_version", Text, "Version that predicted."),
    _value("predicted_at", DateTime(timezone=True), "When it was answered."),
    _value("prediction", Double, "Median of the duration, minutes."),
    _value("lower", Double, "Lower end of the 80% interval, minutes."),
    _value("upper", Double, "Upper end of the 80% interval, minutes."),
    _value("minutes", Double, "How long the trip really took."),
    _value("matched_at", DateTime(timezone=True), "When prediction and trip were joined."),
    comment="Logged predictions whose trip the City has published; no row: no outcome is known."
    " Those joined longer than `TAXI_MONITORING_DAYS` ago are deleted.",
)

live_windows: Final = Table(
    "live_windows",
    metadata,
    *_window(),
    _value(
        "predictions",
        Integer,
        "Predictions that were answered, without those that the service's page asks for its day"
        " and its map.",
    ),
    _value("answered_requests", Integer, "Requests that they came in."),
    *(
        _value(name, kind, f"{text}; none: nothing was asked.", nullable=True)
        for name, kind, text in (
            ("model_version", Text, "Version that answered most of them"),
            ("unseen_pairs_share", Double, "Share of trips of a pair never trained on, 0 to 1"),
            ("missing_areas_share", Double, "Share of trips without one area or both, 0 to 1"),
            ("reference_missing_share", Double, "That share among the trips it was trained on"),
            ("p50_ms", Double, "Median time from request to answer, milliseconds"),
            ("p95_ms", Double, "95% quantile of that time, milliseconds"),
            ("p99_ms", Double, "99% quantile of that time, milliseconds"),
        )
    ),
    *(
        _value(name, kind, f"{text}; none: too few were asked to compare.", nullable=True)
        for name, kind, text in (
            ("reference_trips", Integer, "Trips of the reference, of the same hours of the week"),
            ("compared_columns", Integer, "Columns that were compared"),
            ("drifted_columns", Integer, "Columns that drifted"),
            ("drifted_share", Double, "Drifted columns by all compared, 0 to 1"),
            ("threshold", Double, "Share from which the window counts as drifted, 0 to 1"),
            ("drifted", Boolean, "Whether the window counts as drifted"),
        )
    ),
    *(
        _value(name, Integer, f"{text}; none: no request was counted.", nullable=True)
        for name, text in (
            ("refused_requests", "Requests for predictions that were answered with 4xx"),
            ("failed_requests", "Requests for predictions that were answered with 5xx"),
        )
    ),
    _value("report_uri", Text, "The report's HTML in S3; none: there is none.", nullable=True),
    _value(
        "report_url", Text, "The report in the MLflow UI, where the window drifted.", nullable=True
    ),
    _reported_at(),
    comment="What the service was asked in each window, beside what was usual then. Those older"
    " than `TAXI_MONITORING_DAYS` are deleted.",
)

live_columns: Final = Table(
    "live_columns",
    metadata,
    *_window(),
    _key("column_name", Text, "The column that was compared."),
    _value("method", Text, "Distance between the two distributions, as Evidently names it."),
    _value("score", Double, "The distance."),
    _value("threshold", Double, "Distance from which the column counts as drifted."),
    _value("drifted", Boolean, "Whether the column counts as drifted."),
    _reported_at(),
    comment="Drift of each column in each window; deleted with its window.",
)


def _number(comment: str) -> Column[Any]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True, comment=comment)


_DRILL: Final = "Whether a drill was the cause; drills count for nothing else."

retrainings: Final = Table(
    "retrainings",
    metadata,
    _number("Order of the decisions."),
    _value("source", Text, "Where the trips come from: city, simulated, files or drill."),
    _value("month", Date, "First day of the latest month that was over a threshold."),
    _value("requested_at", DateTime(timezone=True), "When it was decided."),
    _value("status", Text, "`queued`, or `refused` although months were over a threshold."),
    _value("reason", Text, "Why, in one line."),
    _value("evidence", JSONB, "The months that decided: figures, and what was over."),
    _value("requested_by", Text, "Number of the run in Mage that decided."),
    _value(
        "pipeline_run_id", Text, "Number of the run in Mage that it became; none.", nullable=True
    ),
    _value("drill", Boolean, _DRILL),
    comment="Each decision to train the model again because of drift or error, or not to.",
)

alarms: Final = Table(
    "alarms",
    metadata,
    _number("Order of the alarms."),
    _value("raised_at", DateTime(timezone=True), "When it was raised."),
    _value("kind", Text, "run failed, data refused, drift, quality or retraining."),
    _value("subject", Text, "What it is about: a source and month, or a run."),
    _value("message", Text, "What a person reads."),
    _value("sent_to", ARRAY(Text), "Ways that took it: webhook, mail; empty: nobody was told."),
    _value("problem", Text, "Ways that failed, and why; none: nothing did.", nullable=True),
    _value("drill", Boolean, _DRILL),
    comment="What a person was told of, and whether it was sent.",
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
