"""Who wins between the two values of an ordinary field: the sync behaviors, our own additions, and what undecided times come to.

Each policy is stated once, for sides as values. The rows that need no times are a table; the two most-recent behaviors
ask ``evidence`` for an order. Nothing here builds writes.
"""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Any

from prospect_sync.model import NOTHING, Interval, Pair, Side
from prospect_sync.policy import evidence as times
from prospect_sync.policy.behaviors import Behavior, Clears, Tie, WithoutHistory
from prospect_sync.policy.field_table import FieldTable, Row
from prospect_sync.policy.values import EMPTY, Reading, Unread, read_prospect


class Shape(Enum):
    """Which sides are filled, where they are not equal."""

    BOTH = auto()
    SALESFORCE_ONLY = auto()
    ACCOUNT_ENGAGEMENT_ONLY = auto()


@dataclass(frozen=True, slots=True)
class Contest:
    """One field of one pair, both sides read and different: ``readings`` are comparable, by side."""

    row: Row
    table: FieldTable
    pair: Pair
    salesforce: Reading
    account_engagement: Reading

    def reading(self, side: Side) -> Reading:
        return self.salesforce if side is Side.SALESFORCE else self.account_engagement

    @property
    def shape(self) -> Shape:
        if self.account_engagement is EMPTY:
            return Shape.SALESFORCE_ONLY
        return Shape.ACCOUNT_ENGAGEMENT_ONLY if self.salesforce is EMPTY else Shape.BOTH

    @property
    def empty_side(self) -> Side | None:
        return _EMPTY_SIDE[self.shape]

    @property
    def base(self) -> Reading | None:
        """What both sides last agreed on; None where nothing (readable) is remembered. A new couple has no base."""
        remembered = self.pair.evidence.base
        if self.pair.evidence.relinked or self.row.prospect not in remembered:
            return None
        base = self.remembered(remembered[self.row.prospect])
        return None if isinstance(base, Unread) else base

    def remembered(self, value: Any) -> Reading:
        """Read a value that we kept: in either side's words, as the field's type."""
        return read_prospect(self.row.type, value, self.row.values)

    def only_changed_side(self) -> Side | None:
        """Name the one side that differs from the base; None where both do, or there is no base."""
        base = self.base
        if base is None:
            return None
        changed = [side for side in Side if self.reading(side) != base]
        return changed[0] if len(changed) == 1 else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says. ``origin`` None with a winner: no field time took part. ``problem``: words for the desk."""

    rule: str
    winner: Side | None
    guarded: bool = False
    evidence: MappingOf[str, Any] = field(default_factory=lambda: NOTHING)
    origin: Interval | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What the times say: RF-1 or RR-1 with the later side, or TIE or UNK with none."""

    rule: str
    later: Side | None
    evidence: dict[str, Any]
    origins: MappingOf[Side, Interval | None]


_EMPTY_SIDE = MappingProxyType(
    {
        Shape.BOTH: None,
        Shape.SALESFORCE_ONLY: Side.ACCOUNT_ENGAGEMENT,
        Shape.ACCOUNT_ENGAGEMENT_ONLY: Side.SALESFORCE,
    }
)

# What the article says without asking when anything changed: (behavior, which sides are filled) -> rule and winner.
ROWS: MappingOf[tuple[Behavior, Shape], tuple[str, Side | None]] = MappingProxyType(
    {
        (Behavior.USE_ACCOUNT_ENGAGEMENT, Shape.BOTH): ("AE-1", Side.ACCOUNT_ENGAGEMENT),
        (Behavior.USE_ACCOUNT_ENGAGEMENT, Shape.SALESFORCE_ONLY): ("AE-2", Side.SALESFORCE),
        (Behavior.USE_ACCOUNT_ENGAGEMENT, Shape.ACCOUNT_ENGAGEMENT_ONLY): ("AE-3", Side.ACCOUNT_ENGAGEMENT),
        (Behavior.USE_SALESFORCE, Shape.BOTH): ("SF-1", Side.SALESFORCE),
        (Behavior.USE_SALESFORCE, Shape.ACCOUNT_ENGAGEMENT_ONLY): ("SF-2", Side.ACCOUNT_ENGAGEMENT),
        (Behavior.USE_SALESFORCE, Shape.SALESFORCE_ONLY): ("SF-4", Side.SALESFORCE),
        (Behavior.MOST_RECENT_FIELD, Shape.SALESFORCE_ONLY): ("RF-2", Side.SALESFORCE),
        (Behavior.MOST_RECENT_FIELD, Shape.ACCOUNT_ENGAGEMENT_ONLY): ("RF-2", Side.ACCOUNT_ENGAGEMENT),
        (Behavior.MOST_RECENT_RECORD, Shape.SALESFORCE_ONLY): ("RR-2", Side.SALESFORCE),
        (Behavior.MOST_RECENT_RECORD, Shape.ACCOUNT_ENGAGEMENT_ONLY): ("RR-2", Side.ACCOUNT_ENGAGEMENT),
        (Behavior.FILL_BLANKS, Shape.SALESFORCE_ONLY): ("FB-1", Side.SALESFORCE),
        (Behavior.FILL_BLANKS, Shape.ACCOUNT_ENGAGEMENT_ONLY): ("FB-1", Side.ACCOUNT_ENGAGEMENT),
        (Behavior.FILL_BLANKS, Shape.BOTH): ("FB-2", None),
    }
)

_MASTER = MappingProxyType(
    {
        Behavior.USE_ACCOUNT_ENGAGEMENT: Side.ACCOUNT_ENGAGEMENT,
        Behavior.USE_SALESFORCE: Side.SALESFORCE,
    }
)
_BEHAVIOR_OF = MappingProxyType({side: behavior for behavior, side in _MASTER.items()})


def by_behavior(contest: Contest) -> Verdict:
    """Decide an ordinary field by its behavior, or by the side a person has pinned on the desk."""
    row, pin = contest.row, contest.pair.evidence.pins.get(contest.row.prospect)
    # A person chose a side for this field of this pair: that side's one-sided behavior holds here.
    behavior = row.behavior if pin is None else _BEHAVIOR_OF[pin]
    decided_by = {"decided_by": behavior.value if pin is None else f"pin: {pin.value}"}

    # One side was filled when we last agreed and was emptied since: it takes part like a value (CL-2).
    if cleared_on_purpose(contest):
        return _with_clearing(contest, behavior, decided_by)

    # Salesforce is empty, and an empty value of Salesforce's counts: for this field (CL-1) or for all (SF-3).
    if behavior is Behavior.USE_SALESFORCE and contest.empty_side is Side.SALESFORCE:
        rule = _blank_counts(contest)
        if rule is not None:
            return Verdict(rule, Side.SALESFORCE, evidence=decided_by)

    # The article's rows that no time takes part in; a value that goes to an empty side could meet a newer one there.
    named = ROWS.get((behavior, contest.shape))
    if named is not None:
        rule, winner = named
        # Two values under fill_blanks are for a person to settle (FB-2).
        problem = None if winner else "the two sides differ, and fill_blanks leaves both as they are"
        return Verdict(rule, winner, guarded=contest.shape is not Shape.BOTH, evidence=decided_by, problem=problem)

    # Both sides have a value, and the later change wins (RF-1, RR-1) where the times prove which that is.
    order = _field_order(contest) if behavior is Behavior.MOST_RECENT_FIELD else _record_order(contest)
    return _verdict(contest, order)


def needs_history(contest: Contest) -> bool:
    """Tell whether rows of the person's field history could decide this contest."""
    pinned = contest.row.prospect in contest.pair.evidence.pins
    if pinned or contest.row.behavior is not Behavior.MOST_RECENT_FIELD:
        return False
    return contest.shape is Shape.BOTH or cleared_on_purpose(contest)


def cleared_on_purpose(contest: Contest) -> bool:
    """Tell whether the empty side's emptiness is a deliberate act: it was filled when both last agreed."""
    if contest.row.clears is not Clears.EITHER or contest.shape is Shape.BOTH:
        return False
    base = contest.base
    return base is not None and base is not EMPTY


def _blank_counts(contest: Contest) -> str | None:
    if contest.pair.evidence.relinked or contest.row.prospect in contest.pair.evidence.unsynced:
        return None
    if contest.row.clears is Clears.SALESFORCE:
        return "CL-1"
    return "SF-3" if contest.table.blank_salesforce and contest.row.prospect != "email" else None


def _with_clearing(contest: Contest, behavior: Behavior, decided_by: MappingOf[str, Any]) -> Verdict:
    cleared = contest.empty_side
    filled = Side.SALESFORCE if cleared is Side.ACCOUNT_ENGAGEMENT else Side.ACCOUNT_ENGAGEMENT
    cleared_by = {"cleared_side": filled.other.value}
    master = _MASTER.get(behavior)
    # One side's value is used whatever it is; only a filled value that goes to an empty side can meet a newer one.
    if master is not None:
        return Verdict("CL-2", master, guarded=master is filled, evidence={**cleared_by, **decided_by})

    order = _field_order(contest) if behavior is Behavior.MOST_RECENT_FIELD else _record_order(contest)
    evidence = {**cleared_by, **order.evidence}
    # The clearing or the value is the later change.
    if order.later is not None:
        return Verdict("CL-2", order.later, guarded=True, evidence=evidence, origin=order.origins.get(order.later))
    # No order is proved, and the mapping wants a person to look.
    if order.rule == "UNK" and _without_history(contest) is WithoutHistory.HOLD:
        held = "held: one side was cleared, and it is not known which side changed later"
        return Verdict("CL-2", None, evidence={**evidence, "decided_by": "without_history: hold"}, problem=held)
    # No order is proved: what is filled is not thrown away.
    evidence["decided_by"] = f"{order.rule}: the filled value beats a clearing"
    return Verdict("CL-2", filled, guarded=True, evidence=evidence, origin=order.origins.get(filled))


def _field_order(contest: Contest) -> Order:
    pair, row, margin = contest.pair, contest.row, contest.table.margin
    salesforce = times.salesforce_field_time(pair, row.person_field)
    prospect = times.account_engagement_field_time(pair, row.prospect)
    evidence = times.field_evidence(salesforce, prospect, margin)
    origins = {Side.SALESFORCE: salesforce.interval, Side.ACCOUNT_ENGAGEMENT: prospect.interval}
    later = times.later_side(salesforce, prospect, margin)
    # The times prove which change came later.
    if later is not None:
        return Order("RF-1", later, {**evidence, "decided_by": "field time"}, origins)
    # They do not, but only one side has moved away from what both agreed on.
    changed = contest.only_changed_side()
    if changed is not None:
        return Order("RF-1", changed, {**evidence, "decided_by": "base"}, origins)
    known = salesforce.known and prospect.interval is not None and not prospect.interval.first_seen
    return Order("TIE" if known else "UNK", None, evidence, origins)


def _record_order(contest: Contest) -> Order:
    pair, margin = contest.pair, contest.table.margin
    salesforce = times.record_time(pair, Side.SALESFORCE)
    prospect = times.record_time(pair, Side.ACCOUNT_ENGAGEMENT)
    evidence = times.record_evidence(salesforce, prospect, margin)
    later = times.later_side(salesforce, prospect, margin)
    if later is not None:
        return Order("RR-1", later, {**evidence, "decided_by": "record time"}, {})
    return Order("TIE", None, evidence, {})


def _verdict(contest: Contest, order: Order) -> Verdict:
    """Say who wins a contest by time between two filled values."""
    evidence = order.evidence
    if order.later is not None:
        winner: Side | None = order.later
    elif order.rule == "TIE":
        # Two changes that no clock can order (TIE).
        winner = _tie_winner(contest)
        evidence["decided_by"] = f"tie: {contest.row.tie.value}"
    else:
        # One side's field time is not known (UNK).
        winner = _unknown_winner(contest, evidence)
    if winner is None:
        held = "held: the two sides differ, and it is not known which changed later"
        return Verdict(order.rule, None, evidence=evidence, problem=held)
    return Verdict(order.rule, winner, guarded=True, evidence=evidence, origin=order.origins.get(winner))


def _unknown_winner(contest: Contest, evidence: dict[str, Any]) -> Side | None:
    choice = _without_history(contest)
    evidence["decided_by"] = f"without_history: {choice.value}"
    match choice:
        case WithoutHistory.HOLD:
            return None
        case WithoutHistory.RESTRICTIVE:
            return _restrictive_winner(contest)
        case WithoutHistory.SALESFORCE:
            return Side.SALESFORCE
        case WithoutHistory.ACCOUNT_ENGAGEMENT:
            return Side.ACCOUNT_ENGAGEMENT
        case WithoutHistory.RECORD:
            records = _record_order(contest)
            evidence.update(records.evidence)
            if records.later is None:
                evidence["decided_by"] = f"without_history: record; tie: {contest.row.tie.value}"
                return _tie_winner(contest)
            evidence["decided_by"] = "without_history: record time"
            return records.later


def _without_history(contest: Contest) -> WithoutHistory:
    """An opt-out whose order is not known always stands (OO-2), whatever the mapping says."""
    return WithoutHistory.RESTRICTIVE if contest.row.opted_out else contest.row.without_history


def _tie_winner(contest: Contest) -> Side:
    match contest.row.tie:
        case Tie.SALESFORCE:
            return Side.SALESFORCE
        case Tie.ACCOUNT_ENGAGEMENT:
            return Side.ACCOUNT_ENGAGEMENT
        case Tie.RESTRICTIVE:
            return _restrictive_winner(contest)


def _restrictive_winner(contest: Contest) -> Side:
    """The side that says true wins."""
    return Side.ACCOUNT_ENGAGEMENT if contest.account_engagement is True else Side.SALESFORCE
