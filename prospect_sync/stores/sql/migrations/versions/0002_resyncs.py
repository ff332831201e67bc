"""Resyncs and their checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "resyncs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("positions", sa.Text, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("in_step", sa.BigInteger, nullable=False),
        sa.Column("hinted", sa.BigInteger, nullable=False),
        sa.Column("updated", sa.BigInteger),
        sa.Column("waited", sa.Float, nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("wait_until", sa.BigInteger),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("applied", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("claimed_until", sa.BigInteger),
        sa.Column("open", sa.Integer),
    )
    op.create_index("resyncs_open", "resyncs", ["open"], unique=True)


def downgrade() -> None:
    op.drop_table("resyncs")
