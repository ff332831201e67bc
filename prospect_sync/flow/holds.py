"""Fields on hold: a mapped field that a side no longer has, or no longer lets us write, stops as a field, once.

Write-back only *doubts* a field; the vendors' own descriptions decide, so that one odd record never stops a field for all
others. The same look lifts a hold by itself when the field is fine again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from prospect_sync.flow import pause
from prospect_sync.flow.fitting import Misfit, misfits
from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Cause, DeskItem
from prospect_sync.model import Ref, Side
from prospect_sync.policy.behaviors import Mapping

log = structlog.get_logger(__name__)

CHECKED = "fields checked at"
_DOUBT = "doubt/"
_SOONEST = timedelta(seconds=20)
_BEFORE = timedelta(minutes=5)
"""Records met the broken field before anybody noticed: they are looked at again, too."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One field on hold: since when, and why, in words for people."""

    field: str
    since: datetime
    words: str
    remedy: str
    side: Side

    def to_text(self) -> str:
        told = {"since": self.since.isoformat(), "words": self.words, "remedy": self.remedy, "side": self.side.value}
        return json.dumps(told, ensure_ascii=False)

    @classmethod
    def of(cls, field: str, text: str) -> "Hold":
        told = json.loads(text)
        return cls(field, datetime.fromisoformat(told["since"]), told["words"], told["remedy"], Side(told["side"]))


def held(runtime: Runtime) -> tuple[Hold, ...]:
    """Give all holds, by field."""
    return tuple(Hold.of(field, text) for field, text in sorted(pause.switches(runtime.marks).held.items()))


def hold(runtime: Runtime, one: Hold) -> bool:
    """Put a field on hold, with one entry on the desk; False where it was already."""
    news = pause.put_hold(runtime.marks, one.field, one.to_text())
    runtime.desk.report([_item(one)])
    if news:
        log.warning("field.held", field=one.field, side=one.side.value, words=one.words)
    return news


def in_force(mapping: Mapping, off: pause.Switches) -> Mapping:
    """Give the mapping as it holds now: what is switched off is not decided, and what Account Engagement lacks not read."""
    mapped = {row.prospect for row in mapping.fields}
    holds = [Hold.of(field, text) for field, text in off.held.items() if field in mapped]
    gone = frozenset(one.field for one in holds if one.side is Side.ACCOUNT_ENGAGEMENT)
    idle = off.idle & mapped
    if (idle, gone) == (mapping.idle, mapping.gone):
        return mapping
    return replace(mapping, idle=idle, gone=gone)


def lift(runtime: Runtime, field: str) -> bool:
    """Take a field off hold and have what it missed looked at; False where it was not on hold."""
    text = pause.take_hold(runtime.marks, field)
    runtime.desk.clear([_ref(field)])
    if text is None:
        return False
    pause.look_back(runtime.marks, Hold.of(field, text).since - _BEFORE, runtime.clock.now())
    log.info("field.lifted", field=field)
    return True


def doubt(runtime: Runtime, fields: Sequence[str]) -> None:
    """A write was refused as if these prospect fields' counterparts were set up wrongly: let their descriptions decide."""
    for field in fields:
        runtime.marks.remember(_DOUBT + field, runtime.clock.now().isoformat())


def look_due(runtime: Runtime, every: float) -> bool:
    """Tell whether the descriptions should be looked at now: regularly, or for a doubt, at most every 20 seconds."""
    text = runtime.marks.note(CHECKED)
    if text is None:
        return True
    age = runtime.clock.now() - datetime.fromisoformat(text)
    return age >= timedelta(seconds=every) or (age >= _SOONEST and bool(runtime.marks.notes(_DOUBT)))


def check_fields(runtime: Runtime) -> None:
    """Look at both sides' descriptions; hold what no longer fits gravely, and lift what is fine again.

    Raises:
        TryLater, Misconfigured: a side cannot be asked.
    """
    if runtime.described is None:
        return
    doubts = runtime.marks.notes(_DOUBT)
    people, prospects = runtime.described.people(), runtime.described.prospects()
    grave: dict[str, Misfit] = {}
    for misfit in misfits(runtime.mapping, people, prospects):
        if misfit.grave:
            grave.setdefault(misfit.prospect_field, misfit)
    now = runtime.clock.now()
    for field, misfit in grave.items():
        hold(runtime, Hold(field, now, misfit.words, misfit.remedy, misfit.side))
    for one in held(runtime):
        if one.field not in grave:
            lift(runtime, one.field)
    for field in doubts:
        if field not in grave:
            log.info("field.fine", field=field)  # the refusal concerned a record, which stands on the desk itself
        runtime.marks.forget(_DOUBT + field)
    runtime.marks.remember(CHECKED, now.isoformat())


def _item(one: Hold) -> DeskItem:
    return DeskItem(
        cause=Cause.MISCONFIGURED,
        ref=_ref(one.field),
        side=one.side,
        code="HELD",
        field=one.field,
        words=f"the field {one.field} is on hold: {one.words}",
        remedy=f"{one.remedy} The hold ends by itself within ten minutes, or at once by `resume --field {one.field}`.",
    )


def _ref(field: str) -> Ref:
    return Ref.service(f"field {field}")
