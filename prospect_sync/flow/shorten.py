"""Cut texts that are longer than Salesforce's field, where the mapping asks for that.

What was cut is remembered like any write that the other side stores in its own way: the two sides differ, and that is no
reason to write again. Characters beyond the basic plane count twice, as they may in Salesforce.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prospect_sync.flow.runtime import Runtime
from prospect_sync.model import Decision, PersonType, Plan, Problem, Side
from prospect_sync.policy.behaviors import FieldMapping, FieldType, TooLong
from prospect_sync.policy.behaviors import Mapping as FieldMappings

WHOLE = "whole"
"""Where a cut change's evidence keeps the value before the cut."""


def cut_to_fit(runtime: Runtime, person_type: PersonType, plan: Plan) -> Plan:
    """Cut by the lengths that Salesforce tells, which are asked for only where the mapping cuts anything.

    Raises:
        TryLater, Misconfigured: Salesforce's description cannot be read.
    """
    mapping = runtime.mapping
    if runtime.described is None or not any(row.too_long is TooLong.CUT for row in mapping.fields):
        return plan
    return shortened(plan, person_type, mapping, runtime.described.lengths())


def shortened(
    plan: Plan, person_type: PersonType, mapping: FieldMappings, lengths: Mapping[PersonType, Mapping[str, int]]
) -> Plan:
    """Cut what is too long for the person's fields; each cut is told as a problem, for the desk.

    ``lengths``: by person type and lower-cased field name.
    """
    rows = {row.prospect: row for row in mapping.fields if row.too_long is TooLong.CUT and row.type is FieldType.TEXT}
    if not rows:
        return plan
    changes, decisions, problems = dict(plan.person_changes), list(plan.decisions), list(plan.problems)
    for place, decision in enumerate(plan.decisions):
        row = rows.get(decision.prospect_field)
        most = lengths.get(person_type, {}).get(decision.person_field.lower())
        value = changes.get(decision.person_field)
        if row is None or most is None or decision.winner is not Side.ACCOUNT_ENGAGEMENT or not isinstance(value, str):
            continue
        cut = _cut(value, most)
        if cut != value:
            changes[decision.person_field] = cut
            decisions[place] = _told(decision, value, most)
            problems.append(_problem(row, decision, most))
    return replace(plan, decisions=tuple(decisions), person_changes=changes, problems=tuple(problems))


def whole(evidence: Mapping[str, Any]) -> str | None:
    """Give the value before it was cut, from a change's evidence; None where nothing was cut."""
    told = evidence.get("cut")
    found = told.get(WHOLE) if isinstance(told, Mapping) else None
    return found if isinstance(found, str) else None


def _told(decision: Decision, value: str, most: int) -> Decision:
    return replace(decision, evidence={**decision.evidence, "cut": {"to": most, WHOLE: value}})


def _problem(row: FieldMapping, decision: Decision, most: int) -> Problem:
    words = f"{row.prospect} / {decision.person_field}: longer than Salesforce's field takes; cut to {most} characters"
    return Problem("ECHO", row.prospect, words)


def _cut(value: str, most: int) -> str:
    units = 0
    for place, char in enumerate(value):
        units += 2 if ord(char) > 0xFFFF else 1
        if units > most:
            return value[:place].rstrip()
    return value
