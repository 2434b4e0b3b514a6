"""The decisions to train again, and the alarms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

DRILL = "Whether a drill was the cause; drills count for nothing else."


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "retrainings",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Order of the decisions.",
        ),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Where the trips come from: city, simulated, files or drill.",
        ),
        sa.Column(
            "month",
            sa.Date(),
            nullable=False,
            comment="First day of the latest month that was over a threshold.",
        ),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was decided.",
        ),
        sa.Column(
            "status",
            sa.Text(),
            nullable=False,
            comment="`queued`, or `refused` although months were over a threshold.",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, in one line."),
        sa.Column(
            "evidence",
            JSONB(),
            nullable=False,
            comment="The months that decided: figures, and what was over.",
        ),
        sa.Column(
            "requested_by",
            sa.Text(),
            nullable=False,
            comment="Number of the run in Mage that decided.",
        ),
        sa.Column(
            "pipeline_run_id",
            sa.Text(),
            nullable=True,
            comment="Number of the run in Mage that it became; none.",
        ),
        sa.Column("drill", sa.Boolean(), nullable=False, comment=DRILL),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrainings")),
        schema="monitoring",
        comment="Each decision to train the model again because of drift or error, or not to.",
    )
    op.create_table(
        "alarms",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Order of the alarms.",
        ),
        sa.Column(
            "raised_at", sa.DateTime(timezone=True), nullable=False, comment="When it was raised."
        ),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="run failed, data refused, drift, quality or retraining.",
        ),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="What it is about: a source and month, or a run.",
        ),
        sa.Column("message", sa.Text(), nullable=False, comment="What a person reads."),
        sa.Column(
            "sent_to",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="Ways that took it: webhook, mail; empty: nobody was told.",
        ),
        sa.Column(
            "problem",
            sa.Text(),
            nullable=True,
            comment="Ways that failed, and why; none: nothing did.",
        ),
        sa.Column("drill", sa.Boolean(), nullable=False, comment=DRILL),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
        schema="monitoring",
        comment="What a person was told of, and whether it was sent.",
    )
