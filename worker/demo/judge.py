"""Two independent opinions on the end state, from dumps alone: the oracle's, and that of the edits' own stories.

The oracle is a file of the tests that imports nothing of the product; it is loaded from the checkout.
"""

import importlib.util
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from worker.demo.edits import Edited, LinkedPair, Script, linked_pairs
from worker.demo.fields import person_field
from worker.demo.stage import MAPPING

ORACLE = Path(__file__).resolve().parents[2] / "tests" / "oracle" / "oracle.py"
Dump = Mapping[str, Any]


def wrong_by_oracle(before: Dump, after: Dump, edits: Sequence[Edited], connector: Mapping[str, Any]) -> list[str]:
    """One sentence for everything that cannot be right; edits are those made since the first sync was over."""
    oracle = _oracle()
    mapping = tomllib.loads(MAPPING.read_text(encoding="utf-8"))
    made = [edit.as_json() for edit in edits]
    return [str(line) for line in oracle.differences(before, after, made, mapping, connector=connector)]


def lost_edits(after: Dump, script: Script) -> list[str]:
    """One sentence for each edit that had to survive and did not, or had to be overruled and was not."""
    pairs = {pair.prospect_id: pair for pair in linked_pairs(after)}
    return [
        _told(pairs[prospect_id], name, value)
        for (prospect_id, name), value in script.outcome.items()
        if not _holds(pairs[prospect_id], name, value)
    ]


def _told(pair: LinkedPair, name: str, value: Any) -> str:
    ours, theirs = pair.prospect[name], _person_value(pair, name)
    return (
        f"prospect {pair.prospect_id} and {pair.kind} {pair.person_id}: {name} must be {value!r} on both sides, "
        f"but is {ours!r} in Account Engagement and {theirs!r} in Salesforce"
    )


def _holds(pair: LinkedPair, name: str, value: Any) -> bool:
    wanted = _plain(name, value)
    return bool(_plain(name, pair.prospect[name]) == wanted and _plain(name, _person_value(pair, name)) == wanted)


def _person_value(pair: LinkedPair, name: str) -> Any:
    return pair.person[person_field(name, pair.kind) or ""]


def _plain(name: str, value: Any) -> Any:
    """One form for what the two sides write differently: selections, and 5 and 5.0."""
    if name == "Interests__c" and value:
        return sorted(value.split(";") if isinstance(value, str) else value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _oracle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_oracle", ORACLE)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"the oracle is not there: {ORACLE}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
