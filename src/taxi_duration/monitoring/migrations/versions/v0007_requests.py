"""How many requests were refused or failed: by minute, and in each live window."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table of minutes; windows of before have no counts."""
    op.create_table(
        "requests",
        sa.Column(
            "minute",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="First moment of the minute.",
        ),
        sa.Column(
            "instance",
            sa.Text(),
            nullable=False,
            comment="The process of the service that answered; a name of chance.",
        ),
        sa.Column(
            "status",
            sa.Text(),
            nullable=False,
            comment="How it answered: 2xx, 4xx (refused) or 5xx (failed).",
        ),
        sa.Column(
            "requests", sa.Integer(), nullable=False, comment="Requests that it answered so."
        ),
        sa.PrimaryKeyConstraint("minute", "instance", "status", name=op.f("pk_requests")),
        schema="monitoring",
        comment="Requests for predictions by minute and status, those included that were refused"
        " before they were read. Those older than `TAXI_PREDICTION_LOG_DAYS` are deleted.",
    )
    for name, text in (
        ("refused_requests", "Requests for predictions that were answered with 4xx"),
        ("failed_requests", "Requests for predictions that were answered with 5xx"),
    ):
        op.add_column(
            "live_windows",
            sa.Column(
                name, sa.Integer(), nullable=True, comment=f"{text}; none: no request was counted."
            ),
            schema="monitoring",
        )
