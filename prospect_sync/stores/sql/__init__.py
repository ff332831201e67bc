"""The stores that must not forget: mirror, couples, ledger, desk, marks and fencing tokens, in SQLite or PostgreSQL."""

from prospect_sync.stores.sql.couples import SqlCouples
from prospect_sync.stores.sql.desk import SqlDesk
from prospect_sync.stores.sql.engine import make_engine
from prospect_sync.stores.sql.fence import SqlFence
from prospect_sync.stores.sql.imports import SqlImports
from prospect_sync.stores.sql.ledger import SqlLedger
from prospect_sync.stores.sql.marks import SqlMarks
from prospect_sync.stores.sql.mirror import SqlMirror
from prospect_sync.stores.sql.resyncs import SqlResyncs
from prospect_sync.stores.sql.schema import upgrade

__all__ = [
    "SqlCouples",
    "SqlDesk",
    "SqlFence",
    "SqlImports",
    "SqlLedger",
    "SqlMarks",
    "SqlMirror",
    "SqlResyncs",
    "make_engine",
    "upgrade",
]
