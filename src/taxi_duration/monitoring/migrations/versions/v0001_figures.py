"""The first tables: runs, drift, quality of the data, performance."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "data_quality",
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Where the trips come from: city, simulated or files.",
        ),
        sa.Column(
            "month", sa.Date(), nullable=False, comment="First day of the month that was reported."
        ),
        sa.Column("dataset", sa.Text(), nullable=False, comment="`reference` or `current`."),
        sa.Column(
            "column_name",
            sa.Text(),
            nullable=False,
            comment="The column; all its rows are counted, not a sample.",
        ),
        sa.Column("trips", sa.Integer(), nullable=False, comment="Rows."),
        sa.Column("missing", sa.Integer(), nullable=False, comment="Rows without a value."),
        sa.Column(
            "missing_share",
            sa.Double(),
            nullable=False,
            comment="Rows without a value by all rows, 0 to 1.",
        ),
        sa.Column("distinct_values", sa.Integer(), nullable=True, comment="Different values."),
        sa.Column("mean", sa.Double(), nullable=True, comment="Mean; none for a category."),
        sa.Column(
            "std", sa.Double(), nullable=True, comment="Standard deviation; none for a category."
        ),
        sa.Column("p05", sa.Double(), nullable=True, comment="5% quantile; none for a category."),
        sa.Column("p25", sa.Double(), nullable=True, comment="25% quantile; none for a category."),
        sa.Column("p50", sa.Double(), nullable=True, comment="Median; none for a category."),
        sa.Column("p75", sa.Double(), nullable=True, comment="75% quantile; none for a category."),
        sa.Column("p95", sa.Double(), nullable=True, comment="95% quantile; none for a category."),
        sa.Column(
            "reported_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the report was made.",
        ),
        sa.PrimaryKeyConstraint(
            "source", "month", "dataset", "column_name", name=op.f("pk_data_quality")
        ),
        schema="monitoring",
        comment="Counts, means and quantiles of each column in each month.",
    )
    op.create_table(
        "drift_columns",
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
        sa.PrimaryKeyConstraint("source", "month", "column_name", name=op.f("pk_drift_columns")),
        schema="monitoring",
        comment="Drift of each column in each month.",
    )
    op.create_table(
        "drift_months",
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
            comment="Version that scored both sides; `floor`: the floor table.",
        ),
        sa.Column(
            "reference_months",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="Months that the month was compared with.",
        ),
        sa.Column(
            "reference_trips",
            sa.Integer(),
            nullable=False,
            comment="Trips of the reference months.",
        ),
        sa.Column("current_trips", sa.Integer(), nullable=False, comment="Trips of the month."),
        sa.Column(
            "reference_sample",
            sa.Integer(),
            nullable=False,
            comment="Reference trips that Evidently read.",
        ),
        sa.Column(
            "current_sample",
            sa.Integer(),
            nullable=False,
            comment="Trips of the month that Evidently read.",
        ),
        sa.Column(
            "compared_columns", sa.Integer(), nullable=False, comment="Columns that were compared."
        ),
        sa.Column("drifted_columns", sa.Integer(), nullable=False, comment="Columns that drifted."),
        sa.Column(
            "drifted_share",
            sa.Double(),
            nullable=False,
            comment="Drifted columns by all compared, 0 to 1.",
        ),
        sa.Column(
            "threshold",
            sa.Double(),
            nullable=False,
            comment="Share from which the month counts as drifted, 0 to 1.",
        ),
        sa.Column(
            "drifted", sa.Boolean(), nullable=False, comment="Whether the month counts as drifted."
        ),
        sa.Column(
            "lake_version",
            sa.Integer(),
            nullable=False,
            comment="Version of the table of trips that was read.",
        ),
        sa.Column("report_uri", sa.Text(), nullable=False, comment="The report's HTML in S3."),
        sa.Column("report_url", sa.Text(), nullable=False, comment="The report in the MLflow UI."),
        sa.Column(
            "reported_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the report was made.",
        ),
        sa.PrimaryKeyConstraint("source", "month", name=op.f("pk_drift_months")),
        schema="monitoring",
        comment="One drift report a month and source.",
    )
    op.create_table(
        "performance",
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
            "dataset",
            sa.Text(),
            nullable=False,
            comment="`reference` (what the model was trained on) or `current`.",
        ),
        sa.Column(
            "model_version",
            sa.Text(),
            nullable=False,
            comment="Version that predicted; `floor`: the floor table.",
        ),
        sa.Column(
            "trips",
            sa.Integer(),
            nullable=False,
            comment="Trips that were predicted; all, not a sample.",
        ),
        sa.Column("mae", sa.Double(), nullable=False, comment="Mean absolute error, minutes."),
        sa.Column(
            "rmse", sa.Double(), nullable=False, comment="Root of the mean squared error, minutes."
        ),
        sa.Column(
            "mape",
            sa.Double(),
            nullable=False,
            comment="Mean absolute error by the real duration, 0.25 is 25%.",
        ),
        sa.Column(
            "median_error", sa.Double(), nullable=False, comment="Median absolute error, minutes."
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
            "reported_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the report was made.",
        ),
        sa.PrimaryKeyConstraint(
            "source", "month", "dataset", "model_version", name=op.f("pk_performance")
        ),
        schema="monitoring",
        comment="How well a model version predicted the trips of each month.",
    )
    op.create_table(
        "pipeline_runs",
        sa.Column("pipeline", sa.Text(), nullable=False, comment="Name of the pipeline."),
        sa.Column("run_id", sa.Text(), nullable=False, comment="The run's number in Mage."),
        sa.Column(
            "month",
            sa.Date(),
            nullable=True,
            comment="First day of its month; none: not known yet.",
        ),
        sa.Column(
            "source",
            sa.Text(),
            nullable=True,
            comment="Where its trips come from; none: not known yet.",
        ),
        sa.Column(
            "status",
            sa.Text(),
            nullable=False,
            comment="How it ended: completed, failed or cancelled.",
        ),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), nullable=True, comment="When it started."
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="When it ended."),
        sa.Column(
            "error", sa.Text(), nullable=True, comment="What failed, and why; none: nothing."
        ),
        sa.PrimaryKeyConstraint("pipeline", "run_id", name=op.f("pk_pipeline_runs")),
        schema="monitoring",
        comment="How each run of a pipeline ended.",
    )
