"""The tables, as narrow as they can be: instants are whole microseconds, values compact JSON, field names numbers.

The migrations build them; ``tests/contract`` holds both to each other.
"""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware instant as microseconds since 1970."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else _EPOCH + value * _MICROSECOND


class Json(sa.types.TypeDecorator[Any]):
    """Compact JSON text. Decimals become their text, dates ISO text, sets and tuples lists."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else json.loads(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "items"):
        return dict(value)
    raise TypeError(f"cannot keep a {type(value).__name__}")


METADATA = sa.MetaData()
# SQLite counts up only what is declared exactly INTEGER PRIMARY KEY
_COUNTED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

FENCE = sa.Table(
    "fence",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", sa.BigInteger, nullable=False),
)

FIELD_NAMES = sa.Table(
    "field_names",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)

MIRROR = sa.Table(
    "mirror",
    METADATA,
    sa.Column(
        "prospect_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False
    ),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant),
    sa.Column("created_by", sa.Text),
    sa.Column("modified_at", Instant),
    sa.Column("modified_by", sa.Text),
    sa.Column("foreign_change", Json),
    sa.Column("doubtful_until", Instant),
    sa.Column("email", sa.Text),
    sa.Column("salesforce_id", sa.Text),
    sa.Column("fields", Json, nullable=False),
    sa.Index("mirror_email", "email"),
    sa.Index("mirror_salesforce_id", "salesforce_id"),
)

COUPLES = sa.Table(
    "couples",
    METADATA,
    sa.Column("prospect_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("relinked", sa.Boolean, nullable=False),
    sa.Column("ended", sa.Text),
    sa.Column("person_read", Instant),
    sa.Column("agreed", Json, nullable=False),
)
LIVES, HAS_ENDED = COUPLES.c.ended.is_(None), COUPLES.c.ended.is_not(None)
for _name, _column, _unique, _where in (
    ("couples_living_prospect", COUPLES.c.prospect_id, True, LIVES),
    ("couples_living_person", COUPLES.c.person, True, LIVES),
    ("couples_ended_person", COUPLES.c.person, False, HAS_ENDED),
):
    sa.Index(_name, _column, unique=_unique, sqlite_where=_where, postgresql_where=_where)

INTENTS = sa.Table(
    "intents",
    METADATA,
    sa.Column("number", _COUNTED, primary_key=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("batch", sa.Text, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("prospect_id", sa.BigInteger, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("mapping_version", sa.Text, nullable=False),
    sa.Column("changes", Json, nullable=False),
    sa.Index("intents_prospect", "prospect_id", "side"),
)

OUTCOMES = sa.Table(
    "outcomes",
    METADATA,
    sa.Column("intent_id", sa.Text, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("settled", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("stamp", Instant),
)

# derived from the two above, so that nobody searches a ledger of millions for the few that are open
OPEN_INTENTS = sa.Table(
    "open_intents",
    METADATA,
    sa.Column("intent_id", sa.Text, primary_key=True),
    sa.Column("prospect_id", sa.BigInteger, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("open_intents_prospect", "prospect_id"),
    sa.Index("open_intents_at", "at"),
)

DESK_ENTRIES = sa.Table(
    "desk_entries",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("side", sa.Text),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("last", Instant, nullable=False),
    sa.Column("times", sa.BigInteger, nullable=False),
)

DESK_RECORDS = sa.Table(
    "desk_records",
    METADATA,
    sa.Column("entry_id", sa.Integer, sa.ForeignKey("desk_entries.id"), primary_key=True, autoincrement=False),
    sa.Column("ref", sa.Text, primary_key=True),
    sa.Index("desk_records_ref", "ref"),
)

MARKS = sa.Table(
    "marks",
    METADATA,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("cursor", Instant),
    sa.Column("low", Instant),
    sa.Column("complete", Instant),
)

POLLED = sa.Table(
    "polled",
    METADATA,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("ref", sa.Text, primary_key=True),
    sa.Column("stamp", Instant, nullable=False),
    sa.Column("final", sa.Boolean, nullable=False),
    sa.Index("polled_stamp", "source", "stamp"),
)

KEPT_HINTS = sa.Table(
    "kept_hints",
    METADATA,
    sa.Column("ref", sa.Text, primary_key=True),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("due", Instant),
    sa.Column("origin", sa.Text, nullable=False),
)

NOTES = sa.Table(
    "notes",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)

RESYNCS = sa.Table(
    "resyncs",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("started", Instant, nullable=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("since", Instant),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("positions", Json, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("seen", sa.BigInteger, nullable=False),
    sa.Column("in_step", sa.BigInteger, nullable=False),
    sa.Column("hinted", sa.BigInteger, nullable=False),
    sa.Column("updated", Instant),
    sa.Column("waited", sa.Float, nullable=False),
    sa.Column("ended", Instant),
    sa.Column("wait_until", Instant),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("applied", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("claimed_until", Instant),
    # 1 while the run is open, else empty: the unique index sees to it that there is one at most
    sa.Column("open", sa.Integer),
    sa.Index("resyncs_open", "open", unique=True),
)

IMPORT_JOBS = sa.Table(
    "import_jobs",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("formed", Instant, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("due", Instant, nullable=False),
    sa.Column("vendor_id", sa.Text),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

IMPORT_ROWS = sa.Table(
    "import_rows",
    METADATA,
    sa.Column("prospect_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("intent_id", sa.Text, nullable=False),
    sa.Column("group", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("job", sa.Text),
    sa.Column("free_since", Instant),
    sa.Index("import_rows_job", "job", "prospect_id"),
)
