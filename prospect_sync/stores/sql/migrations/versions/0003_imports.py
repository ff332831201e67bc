"""Writes that go by import."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_jobs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("formed", sa.BigInteger, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("vendor_id", sa.Text),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "import_rows",
        sa.Column("prospect_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("intent_id", sa.Text, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("job", sa.Text),
        sa.Column("free_since", sa.BigInteger),
    )
    op.create_index("import_rows_job", "import_rows", ["job", "prospect_id"])


def downgrade() -> None:
    op.drop_table("import_rows")
    op.drop_table("import_jobs")
