"""Windows of live traffic of the same start and another end stand beside each other."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Take the end of a window into its key; the columns' windows are known by their start."""
    op.add_column(
        "live_columns",
        sa.Column(
            "window_end",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="First moment after it.",
        ),
        schema="monitoring",
    )
    op.execute(
        "UPDATE monitoring.live_columns AS part SET window_end = known.window_end"
        " FROM monitoring.live_windows AS known WHERE known.window_start = part.window_start"
    )
    op.execute("DELETE FROM monitoring.live_columns WHERE window_end IS NULL")
    for table, *more in (("live_windows",), ("live_columns", "column_name")):
        key = ["window_start", "window_end", *more]
        op.drop_constraint(op.f(f"pk_{table}"), table, schema="monitoring")
        op.create_primary_key(op.f(f"pk_{table}"), table, key, schema="monitoring")
