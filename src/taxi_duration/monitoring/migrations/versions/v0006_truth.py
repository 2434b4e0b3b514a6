"""Real outcomes and live traffic: segments, outcomes, windows, and what each month brought."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables; reports of before have none of the new figures."""
    op.create_table(
        "performance_segments",
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Where the trips come from: city, simulated or files.",
        ),
        sa.Column(
            "month", sa.Date(), nullable=False, comment="First day of the month that was reported."
        ),
        sa.Column(
            "model_version",
            sa.Text(),
            nullable=False,
            comment="Version that predicted; `floor`: the floor table.",
        ),
        sa.Column(
            "segment",
            sa.Text(),
            nullable=False,
            comment="`all`, or a place, band of hours or miles; segments overlap.",
        ),
        sa.Column(
            "trips",
            sa.Integer(),
            nullable=False,
            comment="Trips of the segment; all, not a sample.",
        ),
        sa.Column("mae", sa.Double(), nullable=False, comment="Mean absolute error, minutes."),
        sa.Column(
            "mape",
            sa.Double(),
            nullable=False,
            comment="Mean absolute error by the real duration, 0.25 is 25%.",
        ),
        sa.Column(
            "bias",
            sa.Double(),
            nullable=False,
            comment="Mean of prediction minus real duration, minutes.",
        ),
        sa.Column(
            "within_5",
            sa.Double(),
            nullable=False,
            comment="Share within 5 minutes of the real duration, 0 to 1.",
        ),
        sa.Column(
            "coverage_80",
            sa.Double(),
            nullable=True,
            comment="Share inside the 80% interval, 0 to 1; none: no interval was predicted.",
        ),
        sa.Column(
            "interval_width",
            sa.Double(),
            nullable=True,
            comment="Mean width of the interval, minutes; none: no interval was predicted.",
        ),
        sa.Column(
            "late_5",
            sa.Double(),
            nullable=False,
            comment="Share that took 5 or more minutes longer than predicted, 0 to 1.",
        ),
        sa.Column(
            "floor_mae",
            sa.Double(),
            nullable=True,
            comment="Mean absolute error of the floor table on the same trips, minutes; none: not "
            "measured.",
        ),
        sa.Column(
            "reported_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the report was made.",
        ),
        sa.PrimaryKeyConstraint(
            "source", "month", "model_version", "segment", name=op.f("pk_performance_segments")
        ),
        schema="monitoring",
        comment="How well a model version predicted each segment of a month's trips.",
    )
    op.create_table(
        "loaded_months",
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Where the trips come from: city, simulated or files.",
        ),
        sa.Column(
            "month", sa.Date(), nullable=False, comment="First day of the month that was loaded."
        ),
        sa.Column(
            "asked", sa.Integer(), nullable=False, comment="Most trips that were asked for; 0: all."
        ),
        sa.Column("loaded", sa.Integer(), nullable=False, comment="Rows that came."),
        sa.Column(
            "kept", sa.Integer(), nullable=False, comment="Rows that are trips, and in the lake."
        ),
        sa.Column("quarantined", sa.Integer(), nullable=False, comment="Rows that were put aside."),
        sa.Column(
            "loaded_at", sa.DateTime(timezone=True), nullable=False, comment="When the rows came."
        ),
        sa.PrimaryKeyConstraint("source", "month", name=op.f("pk_loaded_months")),
        schema="monitoring",
        comment="What the lake has of each month, and since when.",
    )
    op.create_table(
        "quarantined",
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Where the trips come from: city, simulated or files.",
        ),
        sa.Column(
            "month", sa.Date(), nullable=False, comment="First day of the month that was loaded."
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why these rows cannot be trips."),
        sa.Column(
            "trips", sa.Integer(), nullable=False, comment="Rows that were put aside for it."
        ),
        sa.Column(
            "reported_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the report was made.",
        ),
        sa.PrimaryKeyConstraint("source", "month", "reason", name=op.f("pk_quarantined")),
        schema="monitoring",
        comment="Rows of each month that were put aside, by reason; no row: none was.",
    )
    op.create_table(
        "outcomes",
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            nullable=False,
            comment="The prediction in `predictions`, also once it is deleted there.",
        ),
        sa.Column(
            "role",
            sa.Text(),
            nullable=False,
            comment="`champion` (its answer was sent) or `challenger` (it ran in shadow).",
        ),
        sa.Column("trip_id", sa.Text(), nullable=False, comment="The trip, as the City calls it."),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Where the trip comes from: city, simulated or files.",
        ),
        sa.Column(
            "month",
            sa.Date(),
            nullable=False,
            comment="First day of the month that brought the outcome.",
        ),
        sa.Column("model_version", sa.Text(), nullable=False, comment="Version that predicted."),
        sa.Column(
            "predicted_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was answered.",
        ),
        sa.Column(
            "prediction", sa.Double(), nullable=False, comment="Median of the duration, minutes."
        ),
        sa.Column(
            "lower", sa.Double(), nullable=False, comment="Lower end of the 80% interval, minutes."
        ),
        sa.Column(
            "upper", sa.Double(), nullable=False, comment="Upper end of the 80% interval, minutes."
        ),
        sa.Column("minutes", sa.Double(), nullable=False, comment="How long the trip really took."),
        sa.Column(
            "matched_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When prediction and trip were joined.",
        ),
        sa.PrimaryKeyConstraint("prediction_id", "role", name=op.f("pk_outcomes")),
        schema="monitoring",
        comment="Logged predictions whose trip the City has published; no row: no outcome is "
        "known. Those joined longer than `TAXI_MONITORING_DAYS` ago are deleted.",
    )
    op.create_index(
        op.f("ix_outcomes_month"), "outcomes", ["month"], unique=False, schema="monitoring"
    )
    op.create_table(
        "live_windows",
        sa.Column(
            "window_start",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="First moment of the window.",
        ),
        sa.Column(
            "window_end",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="First moment after it.",
        ),
        sa.Column(
            "predictions",
            sa.Integer(),
            nullable=False,
            comment="Predictions that were answered, without those that the service's page asks for"
            " its day and its map.",
        ),
        sa.Column(
            "answered_requests", sa.Integer(), nullable=False, comment="Requests that they came in."
        ),
        sa.Column(
            "model_version",
            sa.Text(),
            nullable=True,
            comment="Version that answered most of them; none: nothing was asked.",
        ),
        sa.Column(
            "unseen_pairs_share",
            sa.Double(),
            nullable=True,
            comment="Share of trips of a pair never trained on, 0 to 1; none: nothing was asked.",
        ),
        sa.Column(
            "missing_areas_share",
            sa.Double(),
            nullable=True,
            comment="Share of trips without one area or both, 0 to 1; none: nothing was asked.",
        ),
        sa.Column(
            "reference_missing_share",
            sa.Double(),
            nullable=True,
            comment="That share among the trips it was trained on; none: nothing was asked.",
        ),
        sa.Column(
            "p50_ms",
            sa.Double(),
            nullable=True,
            comment="Median time from request to answer, milliseconds; none: nothing was asked.",
        ),
        sa.Column(
            "p95_ms",
            sa.Double(),
            nullable=True,
            comment="95% quantile of that time, milliseconds; none: nothing was asked.",
        ),
        sa.Column(
            "p99_ms",
            sa.Double(),
            nullable=True,
            comment="99% quantile of that time, milliseconds; none: nothing was asked.",
        ),
        sa.Column(
            "reference_trips",
            sa.Integer(),
            nullable=True,
            comment="Trips of the reference, of the same hours of the week; none: too few were "
            "asked to compare.",
        ),
        sa.Column(
            "compared_columns",
            sa.Integer(),
            nullable=True,
            comment="Columns that were compared; none: too few were asked to compare.",
        ),
        sa.Column(
            "drifted_columns",
            sa.Integer(),
            nullable=True,
            comment="Columns that drifted; none: too few were asked to compare.",
        ),
        sa.Column(
            "drifted_share",
            sa.Double(),
            nullable=True,
            comment="Drifted columns by all compared, 0 to 1; none: too few were asked to compare.",
        ),
        sa.Column(
            "threshold",
            sa.Double(),
            nullable=True,
            comment="Share from which the window counts as drifted, 0 to 1; none: too few were "
            "asked to compare.",
        ),
        sa.Column(
            "drifted",
            sa.Boolean(),
            nullable=True,
            comment="Whether the window counts as drifted; none: too few were asked to compare.",
        ),
        sa.Column(
            "report_uri",
            sa.Text(),
            nullable=True,
            comment="The report's HTML in S3; none: there is none.",
        ),
        sa.Column(
            "report_url",
            sa.Text(),
            nullable=True,
            comment="The report in the MLflow UI, where the window drifted.",
        ),
        sa.Column(
            "reported_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the report was made.",
        ),
        sa.PrimaryKeyConstraint("window_start", name=op.f("pk_live_windows")),
        schema="monitoring",
        comment="What the service was asked in each window, beside what was usual then. Those "
        "older than `TAXI_MONITORING_DAYS` are deleted.",
    )
    op.create_table(
        "live_columns",
        sa.Column(
            "window_start",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="First moment of the window.",
        ),
        sa.Column(
            "column_name", sa.Text(), nullable=False, comment="The column that was compared."
        ),
        sa.Column(
            "method",
            sa.Text(),
            nullable=False,
            comment="Distance between the two distributions, as Evidently names it.",
        ),
        sa.Column("score", sa.Double(), nullable=False, comment="The distance."),
        sa.Column(
            "threshold",
            sa.Double(),
            nullable=False,
            comment="Distance from which the column counts as drifted.",
        ),
        sa.Column(
            "drifted", sa.Boolean(), nullable=False, comment="Whether the column counts as drifted."
        ),
        sa.Column(
            "reported_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the report was made.",
        ),
        sa.PrimaryKeyConstraint("window_start", "column_name", name=op.f("pk_live_columns")),
        schema="monitoring",
        comment="Drift of each column in each window; deleted with its window.",
    )
    op.add_column(
        "performance",
        sa.Column(
            "late_5",
            sa.Double(),
            nullable=True,
            comment="Share that took 5 or more minutes longer than predicted, 0 to 1; none: not "
            "measured.",
        ),
        schema="monitoring",
    )
    op.add_column(
        "performance",
        sa.Column(
            "floor_mae",
            sa.Double(),
            nullable=True,
            comment="Mean absolute error of the floor table on the same trips, minutes; none: not "
            "measured.",
        ),
        schema="monitoring",
    )
    op.add_column(
        "performance",
        sa.Column(
            "served",
            sa.Boolean(),
            nullable=True,
            comment="Whether the version was champion at some time of the month; false: it is "
            "judged by trips that it never served. None: not measured.",
        ),
        schema="monitoring",
    )
