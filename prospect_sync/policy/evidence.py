"""When did a side change, and is the order proved? The "Evidence" part of the rules, as pure functions of a pair.

Every answer is a ``When``: a closed interval, "earlier than anything", or not known. Nothing here knows a behavior or a
value; who wins by these times is decided in ``contest``.
"""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from prospect_sync.model import Interval, Pair, Side, Stamp, same_id
from prospect_sync.policy.values import iso


@dataclass(frozen=True, slots=True)
class When:
    """When a side changed. ``known`` without an interval: earlier than anything. ``source``: what says so."""

    interval: Interval | None
    source: str
    known: bool = True

    def as_json(self) -> Any:
        """Write the time for the record: an instant, the two ends of an interval, or None."""
        if self.interval is None:
            return None
        if self.interval.after == self.interval.until:
            return iso(self.interval.until)
        return [iso(self.interval.after), iso(self.interval.until)]


def later_side(salesforce: When, account_engagement: When, margin: timedelta) -> Side | None:
    """Name the side that changed later, where that is proved by more than ``margin``; None where it is not."""
    if not salesforce.known:
        return None
    # Salesforce's value came from AE when we created the record: whatever AE holds now is younger.
    if salesforce.interval is None:
        return Side.ACCOUNT_ENGAGEMENT
    if not account_engagement.known or account_engagement.interval is None:
        return None
    ours, theirs = salesforce.interval, account_engagement.interval
    if ours.after - theirs.until > margin:
        return Side.SALESFORCE
    if theirs.after - ours.until > margin:
        return Side.ACCOUNT_ENGAGEMENT
    return None


def history_is_available(pair: Pair, person_field: str) -> bool:
    """Tell whether the person's field history can be used for this field: tracked now, and readable."""
    since = pair.evidence.history_since
    untracked = person_field in since and since[person_field] is None
    return pair.evidence.history is not None and not untracked


def salesforce_field_time(pair: Pair, person_field: str) -> When:
    """Tell when the person's field was last changed by somebody else than us."""
    if not history_is_available(pair, person_field):
        return When(None, "field history not available", known=False)
    row = newest_foreign_row(pair, person_field)
    if row is not None:
        return When(row, "history row")
    born = _born(pair)
    if born.at is None:
        return When(None, "creation date not read", known=False)
    since = pair.evidence.history_since.get(person_field)
    if since is not None and since > born.at:
        return When(None, "no history row, and tracked only since after the record was created", known=False)
    if same_id(born.by, pair.connector.salesforce_user_id):
        return When(None, "created by connector")
    source = "record created" if pair.person.converted_from is None else "lead created"
    return When(Interval.at(born.at), source)


def newest_foreign_row(pair: Pair, person_field: str) -> Interval | None:
    """Find when the newest history row of this field was written that is not our own doing."""
    times = [row.at for row in pair.evidence.history or () if row.field == person_field and not row.ours]
    return Interval.at(max(times)) if times else None


def account_engagement_field_time(pair: Pair, prospect_field: str) -> When:
    """Tell in which interval the prospect's field changed; without an observation, the prospect's whole life so far."""
    observed = pair.evidence.prospect_times.get(prospect_field)
    if observed is not None:
        return When(_in_order(observed), "first seen" if observed.first_seen else "observed change")
    created, updated = pair.prospect.created.at, pair.prospect.modified.at
    if created is None or updated is None:
        return When(None, "creation or update time not read", known=False)
    return When(_in_order(Interval(created, updated, first_seen=True)), "first seen")


def record_time(pair: Pair, side: Side) -> When:
    """Tell when the record was last changed by somebody else than us."""
    if side is Side.SALESFORCE:
        modified, foreign = pair.person.modified, pair.evidence.person_foreign
        ours = same_id(modified.by, pair.connector.salesforce_user_id)
    else:
        modified, foreign = pair.prospect.modified, pair.evidence.prospect_foreign
        ours = same_id(modified.by, str(pair.connector.account_engagement_user_id))
    # Our own write moved the record's time: what counts is the last modification by others that we remember.
    if ours:
        if foreign is None:
            return When(None, "last modified by connector, nothing else remembered", known=False)
        return When(_in_order(foreign), "remembered foreign modification")
    if modified.at is None:
        return When(None, "modification time not read", known=False)
    return When(Interval.at(modified.at), "record last modified")


def origin(pair: Pair, side: Side, prospect_field: str) -> Interval | None:
    """Give the tightest interval in which a value surely came about where no field time took part in the decision."""
    if side is Side.ACCOUNT_ENGAGEMENT:
        return account_engagement_field_time(pair, prospect_field).interval
    born, changed = _born(pair).at, record_time(pair, side).interval
    until = pair.person.modified.at if changed is None else changed.until
    if born is None or until is None:
        return None
    return _in_order(Interval(born, until))


def field_evidence(salesforce: When, account_engagement: When, margin: timedelta) -> dict[str, Any]:
    """Write both field times for the record."""
    interval = account_engagement.interval
    return {
        "salesforce_time": salesforce.as_json(),
        "salesforce_source": salesforce.source,
        "account_engagement_interval": None if interval is None else [iso(interval.after), iso(interval.until)],
        "account_engagement_source": account_engagement.source,
        "first_seen": interval is not None and interval.first_seen,
        **_margin_evidence(margin),
    }


def record_evidence(salesforce: When, account_engagement: When, margin: timedelta) -> dict[str, Any]:
    """Write both record times for the record."""
    return {
        "salesforce_record_time": salesforce.as_json(),
        "salesforce_record_source": salesforce.source,
        "account_engagement_record_time": account_engagement.as_json(),
        "account_engagement_record_source": account_engagement.source,
        **_margin_evidence(margin),
    }


def _margin_evidence(margin: timedelta) -> MappingOf[str, Any]:
    return {"skew_margin": margin.total_seconds()} if margin else {}


def _born(pair: Pair) -> Stamp:
    """Give the stamp of the person's creation; a converted contact was created when its lead was."""
    person = pair.person
    return person.created if person.converted_from is None else person.converted_from


def _in_order(interval: Interval) -> Interval:
    if interval.after <= interval.until:
        return interval
    return Interval(interval.until, interval.after, interval.first_seen)
