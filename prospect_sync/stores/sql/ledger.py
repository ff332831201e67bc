"""The ledger as two tables that only grow, and a small derived one of what is still open."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from prospect_sync.memory import FieldChange, Intent, LedgerRow, Outcome, Settled
from prospect_sync.model import Ref, Side
from prospect_sync.ports import Ledger
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.packing import pack_interval, unpack_interval
from prospect_sync.stores.sql.statements import among, chunks, insert_unless_there
from prospect_sync.stores.sql.tables import INTENTS, OPEN_INTENTS, OUTCOMES

_MOST_UNSETTLED = 1_000
_OPEN = sa.select(INTENTS).join(OPEN_INTENTS, OPEN_INTENTS.c.intent_id == INTENTS.c.id)
_ENDED = [OUTCOMES.c[name].label(f"ended_{name}") for name in ("intent_id", "at", "settled", "words", "code", "stamp")]


class SqlLedger(Ledger):
    """See the port. Raises: TryLater, Misconfigured; ValueError from ``intend``, when an intent's id was used before."""

    def __init__(self, engine: sa.Engine) -> None:
        self._database = Database(engine)

    def intend(self, intents: Sequence[Intent]) -> None:
        if not intents:
            return
        opened = [{"intent_id": i.id, "prospect_id": i.prospect_id, "at": i.at} for i in intents]
        try:
            with self._database.writing() as connection:
                connection.execute(sa.insert(INTENTS), [_intent_row(intent) for intent in intents])
                connection.execute(sa.insert(OPEN_INTENTS), opened)
        except IntegrityError as error:
            raise ValueError("an intent's id was used before") from error

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        first = {outcome.intent_id: outcome for outcome in reversed(outcomes)}
        with self._database.writing() as connection:
            insert_unless_there(connection, OUTCOMES, [_outcome_row(first[key]) for key in sorted(first)])
            for chunk in chunks(first):
                connection.execute(sa.delete(OPEN_INTENTS).where(OPEN_INTENTS.c.intent_id.in_(chunk)))

    def open(self, prospect_ids: Collection[int]) -> Sequence[Intent]:
        with self._database.reading() as connection:
            rows = list(among(connection, _OPEN, OPEN_INTENTS.c.prospect_id, prospect_ids))
        return [_intent(row) for row in sorted(rows, key=lambda row: (row.at, row.number))]

    def rows(self, *, prospect_id: int | None = None, newest: int = 100) -> Sequence[LedgerRow]:
        query = (
            sa.select(INTENTS, *_ENDED)
            .join(OUTCOMES, OUTCOMES.c.intent_id == INTENTS.c.id, isouter=True)
            .order_by(INTENTS.c.number.desc())
            .limit(newest)
        )
        if prospect_id is not None:
            query = query.where(INTENTS.c.prospect_id == prospect_id)
        with self._database.reading() as connection:
            return [LedgerRow(_intent(row), _outcome(row)) for row in connection.execute(query)]

    def unsettled(self, before: datetime) -> Sequence[Intent]:
        oldest = OPEN_INTENTS.c.at, INTENTS.c.number
        query = _OPEN.where(OPEN_INTENTS.c.at < before).order_by(*oldest).limit(_MOST_UNSETTLED)
        with self._database.reading() as connection:
            return [_intent(row) for row in connection.execute(query)]


def _intent_row(intent: Intent) -> dict[str, Any]:
    return {
        "id": intent.id,
        "at": intent.at,
        "batch": intent.batch,
        "fence": intent.fence,
        "prospect_id": intent.prospect_id,
        "person": str(intent.person),
        "side": intent.side.value,
        "mapping_version": intent.mapping_version,
        "changes": [_pack(change) for change in intent.changes],
    }


def _intent(row: sa.Row[Any]) -> Intent:
    return Intent(
        id=row.id,
        at=row.at,
        batch=row.batch,
        fence=row.fence,
        prospect_id=row.prospect_id,
        person=Ref.parse(row.person),
        side=Side(row.side),
        changes=tuple(_unpack(change) for change in row.changes),
        mapping_version=row.mapping_version,
    )


def _pack(change: FieldChange) -> list[Any]:
    return [
        change.prospect_field,
        change.field,
        change.before,
        change.after,
        change.rule,
        change.guarded,
        change.evidence,
        pack_interval(change.origin) if change.origin else None,
    ]


def _unpack(packed: Sequence[Any]) -> FieldChange:
    change = FieldChange(*packed[:-1])
    return replace(change, origin=unpack_interval(packed[-1])) if packed[-1] else change


def _outcome_row(outcome: Outcome) -> dict[str, Any]:
    return {
        "intent_id": outcome.intent_id,
        "at": outcome.at,
        "settled": outcome.settled.value,
        "words": outcome.words,
        "code": outcome.code,
        "stamp": outcome.stamp,
    }


def _outcome(row: sa.Row[Any]) -> Outcome | None:
    if row.ended_intent_id is None:
        return None
    settled = Settled(row.ended_settled)
    return Outcome(row.ended_intent_id, row.ended_at, settled, row.ended_words, row.ended_code, row.ended_stamp)
