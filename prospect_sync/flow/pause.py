"""What people have switched off for now: lanes that are not drained, and fields that are not decided.

Kept as notes in SQL, one for each thing, so that every worker sees them at its next batch and no two people overwrite
each other. While a lane is paused its hints go on merging; while a field is, its changes are looked up again afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prospect_sync.model import NOTHING, Lane
from prospect_sync.ports import Marks

_SWITCH = "switch/"
_LANE, _FIELD, _HELD = "lane/", "field/", "held/"
_MISSED = "changes not looked at since"


@dataclass(frozen=True, slots=True)
class Switches:
    """What is off now: paused lanes and fields with the time they were paused at, and held fields with their hold as text."""

    lanes: Mapping[Lane, datetime] = field(default_factory=dict)
    fields: Mapping[str, datetime] = field(default_factory=lambda: NOTHING)
    held: Mapping[str, str] = field(default_factory=lambda: NOTHING)

    @property
    def idle(self) -> frozenset[str]:
        """The prospect fields that are not decided now, whoever switched them off."""
        return frozenset(self.fields) | frozenset(self.held)


def switches(marks: Marks) -> Switches:
    """Read everything that is off, in one question."""
    notes = marks.notes(_SWITCH)
    lanes = {key.removeprefix(_LANE): text for key, text in notes.items() if key.startswith(_LANE)}
    known = {lane.value for lane in Lane}
    return Switches(
        lanes={Lane(name): datetime.fromisoformat(text) for name, text in lanes.items() if name in known},
        fields={
            key.removeprefix(_FIELD): datetime.fromisoformat(text)
            for key, text in notes.items()
            if key.startswith(_FIELD)
        },
        held={key.removeprefix(_HELD): text for key, text in notes.items() if key.startswith(_HELD)},
    )


def is_paused(marks: Marks, lane: Lane) -> bool:
    """Tell whether this lane is not to be drained now."""
    return marks.note(_SWITCH + _LANE + lane.value) is not None


def pause_lane(marks: Marks, lane: Lane, now: datetime) -> bool:
    """Stop draining a lane; False where it was paused already. A batch under way is finished."""
    return _put(marks, _LANE + lane.value, now.isoformat())


def resume_lane(marks: Marks, lane: Lane) -> bool:
    """Drain a lane again; False where it was not paused."""
    return _take(marks, _LANE + lane.value) is not None


def pause_field(marks: Marks, prospect_field: str, now: datetime) -> bool:
    """Stop deciding a field, by the prospect's name; False where it was paused already."""
    return _put(marks, _FIELD + prospect_field, now.isoformat())


def resume_field(marks: Marks, prospect_field: str, now: datetime) -> bool:
    """Decide a field again, and have what changed meanwhile looked at; False where it was not paused."""
    since = _take(marks, _FIELD + prospect_field)
    if since is not None:
        look_back(marks, datetime.fromisoformat(since), now)
    return since is not None


def put_hold(marks: Marks, prospect_field: str, text: str) -> bool:
    """Note a field on hold; False where it was already."""
    return _put(marks, _HELD + prospect_field, text)


def take_hold(marks: Marks, prospect_field: str) -> str | None:
    """Take a field's hold away and give it; None where there was none."""
    return _take(marks, _HELD + prospect_field)


def look_back(marks: Marks, since: datetime, now: datetime) -> None:
    """Ask for a look at everything that changed since then; the earliest of several wishes stands."""
    noted = missed(marks)
    earliest = since if noted is None else min(since, noted[0])
    marks.remember(_MISSED, f"{earliest.isoformat()} {now.isoformat()}")


def missed(marks: Marks) -> tuple[datetime, datetime] | None:
    """Tell since when changes were not looked at, and when that was last asked for."""
    text = marks.note(_MISSED)
    if not text:
        return None
    since, _, asked = text.partition(" ")
    return datetime.fromisoformat(since), datetime.fromisoformat(asked)


def looked_back(marks: Marks, wish: tuple[datetime, datetime]) -> None:
    """Note that everything is hinted again, unless somebody asked once more meanwhile."""
    if missed(marks) == wish:
        marks.forget(_MISSED)


def _put(marks: Marks, key: str, text: str) -> bool:
    if marks.note(_SWITCH + key) is not None:
        return False
    marks.remember(_SWITCH + key, text)
    return True


def _take(marks: Marks, key: str) -> str | None:
    text = marks.note(_SWITCH + key)
    if text is not None:
        marks.forget(_SWITCH + key)
    return text
