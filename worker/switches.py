"""``pause``, ``resume`` and ``status``: what people switch off and on, and how the lanes stand."""

import json
from difflib import get_close_matches
from typing import Any

from rich.console import Console
from rich.table import Table

from prospect_sync.errors import ProspectSyncError
from prospect_sync.flow import holds, pause
from prospect_sync.flow.runtime import Runtime
from prospect_sync.model import Lane
from prospect_sync.policy.behaviors import Mapping
from settings import Settings
from worker.app import create_app


def switch_off(settings: Settings, mapping: Mapping, lane: Lane | None, field: str | None) -> str:
    """Pause lanes or a field; returns what to tell the person."""
    runtime = create_app(settings).runtime()
    marks, now = runtime.marks, runtime.clock.now()
    if field is not None:
        name = _mapped(mapping, field)
        news = pause.pause_field(marks, name, now)
        told = f"The field {name} is {'' if news else 'already '}paused: it is not decided until it is resumed."
    if lane is not None or field is None:
        for one in _lanes(lane):
            pause.pause_lane(marks, one, now)
        told = f"Paused: {', '.join(one.value for one in _lanes(lane))}. Hints go on merging; batches under way are finished."
    return told


def switch_on(settings: Settings, mapping: Mapping, lane: Lane | None, field: str | None) -> str:
    """Resume lanes or a field; returns what to tell the person."""
    runtime = create_app(settings).runtime()
    if field is not None:
        off = pause.switches(runtime.marks)
        name = field if field in off.idle else _mapped(mapping, field)
        paused = pause.resume_field(runtime.marks, name, runtime.clock.now())
        held = holds.lift(runtime, name)
        told = f"The field {name} was not paused."
        if paused or held:
            told = f"The field {name} is decided again; what changed meanwhile is looked at within seconds."
    if lane is not None or field is None:
        resumed = [one for one in _lanes(lane) if pause.resume_lane(runtime.marks, one)]
        for one in resumed:
            runtime.waker.wake(one)
        told = f"Resumed: {', '.join(one.value for one in resumed) or 'nothing was paused'}."
    return told


def show_status(settings: Settings, *, as_json: bool) -> None:
    """Show lanes, pauses and holds."""
    runtime = create_app(settings).runtime()
    told = status_of(runtime)
    if as_json:
        Console(highlight=False, markup=False, soft_wrap=True).print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    console = Console(highlight=False, markup=False)
    table = Table(title=f"Mapping {told['mapping']}", title_justify="left")
    for heading in ("lane", "waiting", "due", "oldest due", "paused since"):
        table.add_column(heading)
    for row in told["lanes"]:
        oldest = f"{row['oldest_due']:.0f} s" if row["due"] else "–"
        table.add_row(row["lane"], str(row["waiting"]), str(row["due"]), oldest, row["paused_since"] or "–")
    console.print(table)
    for row in told["fields"]:
        why = f": {row['words']}. {row['remedy']}" if row["words"] else ""
        console.print(f"{row['field']} is {row['state']} since {row['since']}{why}")


def status_of(runtime: Runtime) -> dict[str, Any]:
    """Give the state of lanes and fields, ready for JSON."""
    off = pause.switches(runtime.marks)
    lanes = [
        {
            "lane": lane.value,
            "waiting": state.waiting,
            "due": state.due,
            "oldest_due": state.oldest_due,
            "paused_since": off.lanes[lane].isoformat() if lane in off.lanes else None,
        }
        for lane, state in runtime.inbox.lanes().items()
    ]
    paused = [
        {"field": name, "state": "paused", "since": since.isoformat(), "words": "", "remedy": ""}
        for name, since in sorted(off.fields.items())
    ]
    on_hold = [
        {
            "field": one.field,
            "state": "on hold",
            "since": one.since.isoformat(),
            "words": one.words,
            "remedy": one.remedy,
        }
        for one in holds.held(runtime)
    ]
    return {"mapping": runtime.mapping.version, "lanes": lanes, "fields": [*paused, *on_hold]}


def _lanes(lane: Lane | None) -> tuple[Lane, ...]:
    return tuple(Lane) if lane is None else (lane,)


def _mapped(mapping: Mapping, field: str) -> str:
    """Give the field's name if it is mapped.

    Raises:
        ProspectSyncError: it is not; with the nearest name that is.
    """
    names = [row.prospect for row in mapping.fields]
    if field in names:
        return field
    near = get_close_matches(field, names, n=1)
    raise ProspectSyncError(
        f"no mapped prospect field is called {field}" + (f"; did you mean {near[0]}?" if near else "")
    )
