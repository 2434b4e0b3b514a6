"""What the gate's decisions say of intervals and of late arrivals."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_COLUMNS = {
    "interval_width": "Mean width of its 80% interval, minutes",
    "pinball": "Pinball loss, a mean over its three quantiles, minutes",
    "late_5": "Share that arrived 5 or more minutes later than it said, 0 to 1",
}


def upgrade() -> None:
    """Add the columns; decisions of before have none of these figures."""
    for name, text in _COLUMNS.items():
        op.add_column(
            "gate_decisions",
            sa.Column(name, sa.Double(), nullable=True, comment=f"{text}; none: not measured."),
            schema="monitoring",
        )
