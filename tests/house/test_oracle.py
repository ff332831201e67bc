"""The oracle's independence, read from its source: imports written inside functions count too."""

import ast
import sys
from pathlib import Path

ORACLE = Path(__file__).parents[1] / "oracle"


def imported(source: str) -> set[str]:
    """Top names of everything a source imports; relative imports stay inside the oracle."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(("." * node.level) + (node.module or ""))
    return names


def outside(names: set[str]) -> set[str]:
    return {
        name
        for name in names
        if not name.startswith(("tests.oracle", "."))
        and name.split(".")[0] not in sys.stdlib_module_names - {"importlib", "runpy", "subprocess"}
    } | {name for name in names if name.startswith("..")}


def test_it_imports_the_standard_library_and_itself_alone():
    sources = sorted(ORACLE.rglob("*.py"))
    assert sources != []
    found = {path.name: outside(imported(path.read_text())) for path in sources}
    own_tests = {name for name in found if name.startswith("test_")}
    assert {name: names for name, names in found.items() if names and name not in own_tests} == {}
    assert set().union(*(found[name] for name in own_tests)) <= {"pytest"}


def test_it_uses_no_back_door():
    doors = ("__import__", "importlib", "exec(", "eval(")
    assert [(path.name, door) for path in ORACLE.rglob("*.py") for door in doors if door in path.read_text()] == []


def test_the_check_sees_what_it_must_see():
    sneaky = "import json\nfrom . import dumps\ndef late():\n    from prospect_sync.policy import resolve\n    import worker.app\n    from ..support import servers\n"
    assert outside(imported(sneaky)) == {"prospect_sync.policy", "worker.app", "..support"}
