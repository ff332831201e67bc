"""Couples as one row each; two partial unique indexes see to it that nobody lives in two."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from prospect_sync.errors import TryLater
from prospect_sync.memory import Couple
from prospect_sync.model import RecordKind, Ref
from prospect_sync.ports import Couples
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.packing import FieldNames, names_in, numbers_in_couple, pack_couple, unpack_couple
from prospect_sync.stores.sql.statements import among, excluded, upsert
from prospect_sync.stores.sql.tables import COUPLES, HAS_ENDED, LIVES

_ATTEMPTS = 3
_Key = tuple[int, str]


class SqlCouples(Couples):
    """See the port. Raises: TryLater, Misconfigured."""

    def __init__(self, engine: sa.Engine) -> None:
        self._database = Database(engine)
        self._names = FieldNames(self._database)

    def of(self, refs: Collection[Ref]) -> Mapping[Ref, Couple]:
        prospects = {int(ref.id): ref for ref in refs if ref.kind is RecordKind.PROSPECT}
        persons = {str(ref): ref for ref in refs if ref.kind is not RecordKind.PROSPECT}
        best: dict[Ref, sa.Row[Any]] = {}
        with self._database.reading() as connection:
            for row in _rows(connection, prospects, persons):
                for ref in (prospects.get(row.prospect_id), persons.get(row.person)):
                    if ref and (ref not in best or _rank(row) > _rank(best[ref])):
                        best[ref] = row
            numbers = {number for row in best.values() for number in numbers_in_couple(row.agreed)}
            names = self._names.names(connection, numbers)
        return {ref: _couple(row, names) for ref, row in best.items()}

    def save(self, couples: Sequence[Couple], fence: int) -> frozenset[Ref]:
        numbers = self._names.numbers({name for couple in couples for name in names_in(couple)})
        for _ in range(_ATTEMPTS):
            try:
                with self._database.writing() as connection:
                    return _save(connection, couples, fence, numbers)
            except IntegrityError:
                # somebody began another couple with one of ours between our look and our write: look again
                continue
        raise TryLater("others keep pairing the same records", delay=1.0, reason="lock")


def _save(
    connection: sa.Connection, couples: Sequence[Couple], fence: int, numbers: Mapping[str, int]
) -> frozenset[Ref]:
    # ended ones first: a prospect may leave one couple and enter another in the same call
    ended = {_key(couple): couple for couple in couples if couple.ended is not None}
    refused = _write(connection, ended, fence, numbers)
    living = _unrivalled(connection, [couple for couple in couples if couple.ended is None])
    refused |= {couple.prospect for couple in couples if couple.ended is None and living.get(_key(couple)) != couple}
    return frozenset(refused | _write(connection, living, fence, numbers))


def _write(
    connection: sa.Connection, couples: Mapping[_Key, Couple], fence: int, numbers: Mapping[str, int]
) -> set[Ref]:
    rows = [_row(couple, fence, numbers) for _, couple in sorted(couples.items(), key=lambda item: item[0])]
    not_later = COUPLES.c.fence <= excluded(connection, COUPLES.c.fence)
    stored = upsert(connection, COUPLES, rows, not_later, returning=[COUPLES.c.prospect_id, COUPLES.c.person])
    keys = {(row.prospect_id, row.person) for row in stored}
    return {couple.prospect for key, couple in couples.items() if key not in keys}


def _unrivalled(connection: sa.Connection, couples: Sequence[Couple]) -> dict[_Key, Couple]:
    """Give those whose two records live in no other couple, stored or given earlier."""
    columns = sa.select(COUPLES.c.prospect_id, COUPLES.c.person).where(LIVES)
    home: dict[int | str, _Key] = {}
    for column, values in (
        (COUPLES.c.prospect_id, {couple.prospect_id for couple in couples}),
        (COUPLES.c.person, {str(couple.person) for couple in couples}),
    ):
        for row in among(connection, columns, column, values):
            home[row.prospect_id] = home[row.person] = (row.prospect_id, row.person)
    free: dict[_Key, Couple] = {}
    for couple in couples:
        key = _key(couple)
        if home.get(key[0], key) == key and home.get(key[1], key) == key:
            home[key[0]] = home[key[1]] = key
            free[key] = couple
    return free


def _rows(connection: sa.Connection, prospects: Collection[int], persons: Collection[str]) -> Iterator[sa.Row[Any]]:
    query = sa.select(COUPLES)
    yield from among(connection, query, COUPLES.c.prospect_id, prospects)
    yield from among(connection, query.where(LIVES), COUPLES.c.person, persons)
    yield from among(connection, query.where(HAS_ENDED), COUPLES.c.person, persons)


def _rank(row: sa.Row[Any]) -> tuple[bool, int, int, str]:
    """The living before the ended, among those the one written last."""
    return (row.ended is None, row.fence, row.prospect_id, row.person)


def _key(couple: Couple) -> _Key:
    return (couple.prospect_id, str(couple.person))


def _row(couple: Couple, fence: int, numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "prospect_id": couple.prospect_id,
        "person": str(couple.person),
        "fence": fence,
        "relinked": couple.relinked,
        "ended": couple.ended,
        "person_read": couple.person_read,
        "agreed": pack_couple(couple, numbers),
    }


def _couple(row: sa.Row[Any], names: Mapping[int, str]) -> Couple:
    return Couple(
        prospect_id=row.prospect_id,
        person=Ref.parse(row.person),
        person_read=row.person_read,
        relinked=row.relinked,
        ended=row.ended,
        **unpack_couple(row.agreed, names),
    )
