"""Every rule has a line in the manual and a test row, and no id is used that the manual does not tell."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs/rules.md").read_text()
ID = r"(?:AE|SF|RF|RR|CL|FB|PR|OO|EM|CO|LN|LC)-[1-9]|TIE|UNK|ECHO|SAME|UNREAD|PIN"
USED = re.compile(rf"(?<![\w-])(?:{ID})(?![\w-])")
NUMBERED = re.compile(r"(?<![\w-])(?:AE|SF|RF|RR|CL|FB|PR|OO|EM|CO|LN|LC)-[1-9](?![\w-])")
# `AE-1..3` and `SF-1/2` name the ids between or beside as well.
RANGE = re.compile(r"(?<![\w-])([A-Z]{2})-([1-9])(?:\.\.|…|–)([1-9])")
BESIDE = re.compile(r"(?<![\w-])([A-Z]{2})-([1-9])((?:/[1-9])+)")
# Rows look like `| **AE-1** | … | built |`.
ROW = re.compile(rf"^\| \*\*({ID})\*\* \|.*\| (built|planned) \|$", re.MULTILINE)


def told() -> dict[str, str]:
    return dict(ROW.findall(MANUAL))


def named_in(folder: Path) -> set[str]:
    text = "\n".join(path.read_text() for path in folder.rglob("*.py") if "house" not in path.parts)
    spans = {f"{kind}-{n}" for kind, first, last in RANGE.findall(text) for n in range(int(first), int(last) + 1)}
    beside = {f"{kind}-{n}" for kind, _first, rest in BESIDE.findall(text) for n in rest.split("/") if n}
    return set(USED.findall(text)) | spans | beside


def test_the_manual_tells_each_rule_once():
    ids = [found[0] for found in ROW.findall(MANUAL)]
    assert len(ids) == len(set(ids))
    assert len(ids) > 40
    assert set(NUMBERED.findall(MANUAL)) <= set(ids)


def test_every_built_rule_has_a_test():
    built = {rule for rule, state in told().items() if state == "built"}
    assert built - named_in(ROOT / "tests") == set()


def test_no_rule_is_used_that_the_manual_does_not_tell():
    numbered = {
        rule
        for folder in ("prospect_sync", "tests", "worker", "tasks")
        for rule in named_in(ROOT / folder)
        if NUMBERED.fullmatch(rule)
    }
    assert numbered - set(told()) == set()
