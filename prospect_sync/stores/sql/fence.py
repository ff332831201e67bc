"""Fencing tokens from one row that is counted up."""

import sqlalchemy as sa

from prospect_sync.ports import Fence
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.tables import FENCE


class SqlFence(Fence):
    """See the port. Raises: TryLater, Misconfigured."""

    def __init__(self, engine: sa.Engine) -> None:
        self._database = Database(engine)

    def next(self) -> int:
        with self._database.writing() as connection:
            counted_up = sa.update(FENCE).values(value=FENCE.c.value + 1).returning(FENCE.c.value)
            return int(connection.execute(counted_up).scalar_one())
