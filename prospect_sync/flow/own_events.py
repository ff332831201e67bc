"""Tell a change event that carries one of our own writes and nothing else: the one kind that needs no hint.

A flow or trigger that reacts to our write rides in the same event with its final data. So the event has to be within one
single write of ours, field by field and value by value, committed while that write was under way; whatever leaves a
doubt is hinted, and costs one look that finds nothing. What is skipped wrongly all the same, the safety sweep finds.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Couple, LedgerRow, Settled
from prospect_sync.model import Ref, same_id
from prospect_sync.policy.behaviors import FieldType
from prospect_sync.policy.values import equal
from prospect_sync.ports import ChangeEvent, ChangeKind

_STAMPS = frozenset({"LastModifiedDate", "LastModifiedById", "SystemModstamp"})
_NEWEST = 10
_SKEW = timedelta(seconds=2)


def only_ours(runtime: Runtime, event: ChangeEvent, couples: Mapping[Ref, Couple]) -> bool:
    """Tell whether the event says nothing but what one write of ours said. ``couples``: of the event's records."""
    plain = event.change is ChangeKind.UPDATE and not event.gap and not event.unbounded and event.fields
    if not plain or not event.kind or not same_id(event.by, runtime.connector.salesforce_user_id):
        return False
    refs = [Ref(event.kind, record_id) for record_id in event.ids]
    types = runtime.prospect_types()
    return all(ref in couples and _is_write_of(event, ref, _newest(runtime, couples[ref]), types) for ref in refs)


def _newest(runtime: Runtime, couple: Couple) -> Sequence[LedgerRow]:
    return runtime.ledger.rows(prospect_id=couple.prospect_id, newest=_NEWEST)


def _is_write_of(event: ChangeEvent, ref: Ref, rows: Sequence[LedgerRow], types: Mapping[str, FieldType]) -> bool:
    return any(row.intent.written == ref and _was_under_way(row, event) and _covers(row, event, types) for row in rows)


def _was_under_way(row: LedgerRow, event: ChangeEvent) -> bool:
    if event.at is None or event.at < row.intent.at - _SKEW:
        return False
    if row.outcome is None:
        return True
    return row.outcome.settled is Settled.APPLIED and event.at <= row.outcome.at + _SKEW


def _covers(row: LedgerRow, event: ChangeEvent, types: Mapping[str, FieldType]) -> bool:
    written = {change.field: change for change in row.intent.changes}
    return all(
        name in written
        and name in event.values
        and equal(types.get(written[name].prospect_field, FieldType.TEXT), event.values[name], written[name].after)
        for name in event.fields - _STAMPS
    )
