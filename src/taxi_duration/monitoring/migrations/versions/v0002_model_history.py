"""The gate's decisions, and the history of the model's aliases, which nobody can change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables, and what keeps the history as it was written."""
    op.create_table(
        "gate_decisions",
        sa.Column("model", sa.Text(), nullable=False, comment="Name of the registered model."),
        sa.Column(
            "run_id",
            sa.Text(),
            nullable=False,
            comment="The pipeline's run in MLflow, whose artifacts hold the whole decision.",
        ),
        sa.Column(
            "version",
            sa.Text(),
            nullable=True,
            comment="The candidate's version; none: not registered.",
        ),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Where its trips come from: city, simulated or files.",
        ),
        sa.Column(
            "month",
            sa.Date(),
            nullable=False,
            comment="First day of the month whose trips decided.",
        ),
        sa.Column("promoted", sa.Boolean(), nullable=False, comment="Whether it became champion."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, in one line."),
        sa.Column(
            "champion",
            sa.Text(),
            nullable=True,
            comment="Version that served; none: there was none.",
        ),
        sa.Column(
            "rival",
            sa.Text(),
            nullable=False,
            comment="What it was compared with: that champion, or the floor.",
        ),
        sa.Column("trips", sa.Integer(), nullable=False, comment="Trips that both were scored on."),
        sa.Column(
            "mae",
            sa.Double(),
            nullable=True,
            comment="The candidate's mean absolute error, minutes; none: not measured.",
        ),
        sa.Column(
            "rival_mae",
            sa.Double(),
            nullable=True,
            comment="The rival's on the same trips, minutes; none: not measured.",
        ),
        sa.Column(
            "floor_mae",
            sa.Double(),
            nullable=True,
            comment="The floor's on the same trips, minutes; none: not measured.",
        ),
        sa.Column(
            "gain",
            sa.Double(),
            nullable=True,
            comment="Minutes by which it is better (negative: worse); none: not measured.",
        ),
        sa.Column(
            "least_gain",
            sa.Double(),
            nullable=True,
            comment="Lower end of the gain, by a paired bootstrap; none: not measured.",
        ),
        sa.Column(
            "coverage_80",
            sa.Double(),
            nullable=True,
            comment="Share of trips inside its 80% interval, 0 to 1; none: not measured.",
        ),
        sa.Column(
            "milliseconds",
            sa.Double(),
            nullable=True,
            comment="Time that the candidate takes to answer one trip; none: not measured.",
        ),
        sa.Column(
            "checks",
            JSONB(),
            nullable=False,
            comment="Each rule: name, whether it is kept, and what was found.",
        ),
        sa.Column(
            "segments",
            JSONB(),
            nullable=False,
            comment="Each large segment: name, trips, both errors, coverage.",
        ),
        sa.Column(
            "page_url", sa.Text(), nullable=False, comment="The decision's page in the MLflow UI."
        ),
        sa.Column(
            "decided_at", sa.DateTime(timezone=True), nullable=False, comment="When it was decided."
        ),
        sa.PrimaryKeyConstraint("model", "run_id", name=op.f("pk_gate_decisions")),
        schema="monitoring",
        comment="What the gate decided of each candidate, and why.",
    )
    op.create_table(
        "model_history",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Order of the changes.",
        ),
        sa.Column("model", sa.Text(), nullable=False, comment="Name of the registered model."),
        sa.Column(
            "alias",
            sa.Text(),
            nullable=False,
            comment="`champion` (the version that serves) or `challenger`.",
        ),
        sa.Column(
            "action",
            sa.Text(),
            nullable=False,
            comment="promote, rollback, challenge, or `changed outside` of this project.",
        ),
        sa.Column(
            "from_version",
            sa.Text(),
            nullable=True,
            comment="Version that held the alias; none: no one.",
        ),
        sa.Column(
            "to_version",
            sa.Text(),
            nullable=True,
            comment="Version that holds it from now on; none: no one.",
        ),
        sa.Column(
            "changed_by",
            sa.Text(),
            nullable=False,
            comment="Who or what changed it; `unknown`: it happened outside.",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why."),
        sa.Column(
            "run_id",
            sa.Text(),
            nullable=True,
            comment="The pipeline's run in MLflow; none: a person.",
        ),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When; from outside: when it was noticed.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_history")),
        schema="monitoring",
        comment="Every change of an alias; the database lets nobody change or remove a row.",
    )
    op.execute(
        """
        CREATE FUNCTION monitoring.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
                USING HINT = 'Add a row that corrects the one that is wrong.';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE
            ON monitoring.model_history
            FOR EACH STATEMENT EXECUTE FUNCTION monitoring.refuse_change()
        """
    )
