"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_COUNTED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "fence",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.execute(sa.text("INSERT INTO fence (id, value) VALUES (1, 0)"))
    op.create_table(
        "field_names",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "mirror",
        sa.Column("prospect_id", _COUNTED, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger),
        sa.Column("created_by", sa.Text),
        sa.Column("modified_at", sa.BigInteger),
        sa.Column("modified_by", sa.Text),
        sa.Column("foreign_change", sa.Text),
        sa.Column("doubtful_until", sa.BigInteger),
        sa.Column("email", sa.Text),
        sa.Column("salesforce_id", sa.Text),
        sa.Column("fields", sa.Text, nullable=False),
    )
    op.create_index("mirror_email", "mirror", ["email"])
    op.create_index("mirror_salesforce_id", "mirror", ["salesforce_id"])
    op.create_table(
        "couples",
        sa.Column("prospect_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("relinked", sa.Boolean, nullable=False),
        sa.Column("ended", sa.Text),
        sa.Column("person_read", sa.BigInteger),
        sa.Column("agreed", sa.Text, nullable=False),
    )
    lives, has_ended = sa.text("ended IS NULL"), sa.text("ended IS NOT NULL")
    for index, column, unique, where in (
        ("couples_living_prospect", "prospect_id", True, lives),
        ("couples_living_person", "person", True, lives),
        ("couples_ended_person", "person", False, has_ended),
    ):
        op.create_index(index, "couples", [column], unique=unique, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "intents",
        sa.Column("number", _COUNTED, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("prospect_id", sa.BigInteger, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("mapping_version", sa.Text, nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
    )
    op.create_index("intents_prospect", "intents", ["prospect_id", "side"])
    op.create_table(
        "outcomes",
        sa.Column("intent_id", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("stamp", sa.BigInteger),
    )
    op.create_table(
        "open_intents",
        sa.Column("intent_id", sa.Text, primary_key=True),
        sa.Column("prospect_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("open_intents_prospect", "open_intents", ["prospect_id"])
    op.create_index("open_intents_at", "open_intents", ["at"])
    op.create_table(
        "desk_entries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("side", sa.Text),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("remedy", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("times", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "desk_records",
        sa.Column("entry_id", sa.Integer, sa.ForeignKey("desk_entries.id"), primary_key=True, autoincrement=False),
        sa.Column("ref", sa.Text, primary_key=True),
    )
    op.create_index("desk_records_ref", "desk_records", ["ref"])
    op.create_table(
        "marks",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("cursor", sa.BigInteger),
        sa.Column("low", sa.BigInteger),
        sa.Column("complete", sa.BigInteger),
    )
    op.create_table(
        "polled",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("stamp", sa.BigInteger, nullable=False),
        sa.Column("final", sa.Boolean, nullable=False),
    )
    op.create_index("polled_stamp", "polled", ["source", "stamp"])
    op.create_table(
        "kept_hints",
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("due", sa.BigInteger),
        sa.Column("origin", sa.Text, nullable=False),
    )
    op.create_table(
        "notes",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "notes",
        "kept_hints",
        "polled",
        "marks",
        "desk_records",
        "desk_entries",
        "open_intents",
        "outcomes",
        "intents",
        "couples",
        "mirror",
        "field_names",
        "fence",
    ):
        op.drop_table(table)
