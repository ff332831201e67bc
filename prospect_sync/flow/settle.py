"""Settle what a dead worker left open: read the record again and see whether the write arrived.

Salesforce shows a write at once. Account Engagement may hide it for as long as its reads lag, so those wait that long.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.shorten import whole
from prospect_sync.memory import Batch, Couple, FieldChange, Intent, MirroredProspect, Outcome, Settled
from prospect_sync.model import Echo, Hint, Person, PersonType, Ref, Side, same_id
from prospect_sync.policy.behaviors import FieldType
from prospect_sync.policy.mirroring import same_user
from prospect_sync.policy.values import equal


@dataclass(frozen=True, slots=True)
class Settlement:
    """A couple after its open intents were looked at. ``wait``: the pair must not be written to before this instant."""

    couple: Couple
    outcomes: tuple[Outcome, ...] = ()
    wait: datetime | None = None


def settle(
    runtime: Runtime, couple: Couple, prospect: MirroredProspect, person: Person, intents: Sequence[Intent]
) -> Settlement:
    """Tell how each open intent of a couple ended, by the values both sides show now."""
    hidden = runtime.tuning.whole_lag + timedelta(seconds=runtime.tuning.send_window)
    waits = [intent.at + hidden for intent in intents if intent.side is Side.ACCOUNT_ENGAGEMENT]
    if waits and max(waits) > runtime.clock.now():
        return Settlement(couple, wait=max(waits))
    outcomes = []
    for intent in intents:
        settled = _ended(runtime, intent, prospect, person)
        gone = intent.at + runtime.tuning.under_way
        if intent.side is Side.SALESFORCE and settled is not Settled.APPLIED and gone > runtime.clock.now():
            return Settlement(couple, wait=gone)  # it may yet be committed
        if settled is Settled.APPLIED:
            couple = _agreed(runtime, couple, intent, prospect)
        outcomes.append(
            Outcome(
                intent.id, runtime.clock.now(), settled, words="settled by reading the record again", code="settled"
            )
        )
    return Settlement(couple, tuple(outcomes))


def settle_what_is_over(runtime: Runtime, batch: Batch, prospect_ids: Sequence[int]) -> list[Hint]:
    """Tell how open intents ended about prospects whose pair is over; gives hints for what reads may still hide."""
    intents = runtime.ledger.open(prospect_ids) if prospect_ids else ()
    if not intents:
        return []
    now, mirrored = runtime.clock.now(), runtime.mirror.get(prospect_ids)
    hidden = {intent.prospect_id: intent.at + runtime.tuning.whole_lag for intent in intents}
    nobody = Person(PersonType.LEAD, "", {})
    ready = [intent for intent in intents if hidden[intent.prospect_id] <= now and intent.prospect_id in mirrored]
    runtime.ledger.settle(
        [
            Outcome(intent.id, now, _ended(runtime, intent, mirrored[intent.prospect_id], nobody), "the pair is over")
            for intent in ready
        ]
    )
    waiting = {key: due for key, due in hidden.items() if due > now}
    return [Hint(Ref.prospect(key), batch.lane, due, origin="unsettled") for key, due in waiting.items()]


def arrived(couple: Couple, changes: Sequence[FieldChange]) -> Couple:
    """Remember an applied Salesforce write: what we wrote, and that its stored form was not seen yet."""
    names = {change.prospect_field for change in changes}
    return replace(
        couple,
        written={**couple.written, **{change.prospect_field: change.after for change in changes}},
        unconfirmed=couple.unconfirmed | names,
        seen={name: value for name, value in couple.seen.items() if name not in names},
        echo={**{name: entry for name, entry in couple.echo.items() if name not in names}, **_cut(changes)},
    )


def _cut(changes: Sequence[FieldChange]) -> dict[str, Echo]:
    """What was cut on its way differs from the prospect's value for good, like any value that is stored in another form."""
    values = {change.prospect_field: (whole(change.evidence), change.after) for change in changes}
    return {name: Echo(written=before, stored=after) for name, (before, after) in values.items() if before is not None}


def _agreed(runtime: Runtime, couple: Couple, intent: Intent, prospect: MirroredProspect) -> Couple:
    """Both sides held what was written; how Salesforce stored it, the look at the person tells."""
    agreed = {change.prospect_field: change.after for change in intent.changes}
    if intent.side is Side.SALESFORCE:
        couple = arrived(couple, intent.changes)
    else:
        types, held = runtime.prospect_types(), prospect.fields
        agreed = {
            name: after
            for name, after in agreed.items()
            if name in held and equal(types.get(name, FieldType.TEXT), held[name].value, after)
        }
    return replace(couple, base={**couple.base, **agreed})


def _ended(runtime: Runtime, intent: Intent, prospect: MirroredProspect, person: Person) -> Settled:
    """One field that holds our value and did not before proves the write, for a record is written whole or not at all."""
    if intent.side is Side.SALESFORCE:
        values: Mapping[str, Any] = person.values
        ours = same_id(person.modified.by, runtime.connector.salesforce_user_id)
    else:
        values = {name: entry.value for name, entry in prospect.fields.items()}
        ours = same_user(prospect.modified.by, runtime.connector.account_engagement_user_id)
    types = runtime.prospect_types()
    if _any(types, intent.changes, values, lambda change: change.after, lambda change: change.before):
        return Settled.APPLIED
    if _any(types, intent.changes, values, lambda change: change.before, lambda change: change.after):
        return Settled.UNSENT
    return Settled.APPLIED if ours else Settled.SUPERSEDED


def _any(
    types: Mapping[str, FieldType],
    changes: Sequence[FieldChange],
    values: Mapping[str, Any],
    like: Callable[[FieldChange], Any],
    unlike: Callable[[FieldChange], Any],
) -> bool:
    return any(
        change.field in values
        and equal(types.get(change.prospect_field, FieldType.TEXT), values[change.field], like(change))
        and not equal(types.get(change.prospect_field, FieldType.TEXT), values[change.field], unlike(change))
        for change in changes
    )
