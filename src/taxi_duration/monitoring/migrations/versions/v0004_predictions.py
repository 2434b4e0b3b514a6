"""The log of predictions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table, and the index by which Grafana reads it and old rows are found."""
    op.create_table(
        "predictions",
        sa.Column(
            "id",
            sa.Uuid(),
            nullable=False,
            comment="The prediction; all of one request share the first 26 digits.",
        ),
        sa.Column(
            "role",
            sa.Text(),
            nullable=False,
            comment="`champion` (its answer was sent) or `challenger` (it ran in shadow).",
        ),
        sa.Column(
            "predicted_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was answered.",
        ),
        sa.Column(
            "trip_id",
            sa.Text(),
            nullable=True,
            comment="What the caller calls the trip; none: nothing.",
        ),
        sa.Column(
            "pickup_community_area",
            sa.SmallInteger(),
            nullable=True,
            comment="1 to 77; none: unknown.",
        ),
        sa.Column(
            "dropoff_community_area",
            sa.SmallInteger(),
            nullable=True,
            comment="1 to 77; none: unknown.",
        ),
        sa.Column(
            "trip_start_timestamp",
            sa.DateTime(),
            nullable=False,
            comment="Start of the trip, Chicago local time.",
        ),
        sa.Column(
            "prediction",
            sa.Double(),
            nullable=False,
            comment="Median of the duration, minutes.",
        ),
        sa.Column(
            "lower",
            sa.Double(),
            nullable=False,
            comment="Lower end of the 80% interval, minutes.",
        ),
        sa.Column(
            "upper",
            sa.Double(),
            nullable=False,
            comment="Upper end of the 80% interval, minutes.",
        ),
        sa.Column("model_version", sa.Text(), nullable=False, comment="Version that predicted."),
        sa.Column("run_id", sa.Text(), nullable=False, comment="Its run in MLflow."),
        sa.Column(
            "latency_seconds",
            sa.Double(),
            nullable=False,
            comment="Time from the request to the answer, of all its trips.",
        ),
        sa.PrimaryKeyConstraint("id", "role", name=op.f("pk_predictions")),
        schema="monitoring",
        comment="Every answer of the service, once; older than `TAXI_PREDICTION_LOG_DAYS` are"
        " deleted.",
    )
    op.create_index(
        op.f("ix_predictions_predicted_at"), "predictions", ["predicted_at"], schema="monitoring"
    )
