"""One field of every type, both ways, through the whole real stack."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.stack import Stack, make_pair, running_stack, wait_for

KINDS = {
    "Text__c": ("Text", {"type": "string"}, "text"),
    "Amount__c": ("Number", {"type": "double", "scale": 2}, "number"),
    "Budget__c": ("Text", {"type": "currency", "scale": 2}, "number"),
    "Agreed__c": ("Radio Button", {"type": "boolean"}, "boolean"),
    "Born__c": ("Date", {"type": "date"}, "date"),
    "Met__c": ("Text", {"type": "datetime"}, "datetime"),
    "Likes__c": ("Multi-Select", {"type": "multipicklist", "picklist": ["Jazz", "Chess", "Golf"]}, "multiselect"),
    "Topics__c": ("Checkbox", {"type": "multipicklist", "picklist": ["Jazz", "Chess", "Golf"]}, "multiselect"),
}
STANDARD = {
    "isReviewed": ("Reviewed__c", {"type": "boolean"}, "boolean"),
    "website": ("Website__c", {"type": "url"}, "text"),
}
FROM_SALESFORCE = {
    "Text__c": "Zürich\nand „Bern“",
    "Amount__c": 12.5,
    "Budget__c": 1000,
    "Agreed__c": True,
    "Born__c": "2001-05-06",
    "Met__c": "2026-03-04T05:06:07.000+0000",
    "Likes__c": "Chess;Jazz",
    "Topics__c": "Golf",
    "Reviewed__c": True,
    "Website__c": "https://example.org",
}
THEN_IN_ENGAGEMENT = {
    "Text__c": "Zürich\nand „Bern“",
    "Amount__c": 12.5,
    "Budget__c": "1000",
    "Agreed__c": "true",
    "Born__c": "2001-05-06",
    "Met__c": "2026-03-04T05:06:07Z",
    "Likes__c": ["Jazz", "Chess"],
    "Topics__c": ["Golf"],
    "isReviewed": True,
    "website": "https://example.org",
}
FROM_ENGAGEMENT = {
    "Text__c": "Genf",
    "Amount__c": -3,
    "Budget__c": "2500.50",
    "Agreed__c": "false",
    "Born__c": "1999-12-31",
    "Met__c": "2026-03-04T05:06:07-05:00",
    "Likes__c": ["Golf"],
    "Topics__c": ["Jazz", "Golf"],
    "isReviewed": False,
    "website": "https://example.com",
}
THEN_IN_SALESFORCE = {
    "Text__c": "Genf",
    "Amount__c": -3,
    "Budget__c": 2500.5,
    "Agreed__c": False,
    "Born__c": "1999-12-31",
    "Met__c": "2026-03-04T10:06:07Z",
    "Likes__c": "Golf",
    "Topics__c": "Jazz;Golf",
    "Reviewed__c": False,
    "Website__c": "https://example.com",
}
NAMES = {**{name: name for name in KINDS}, **{ours: theirs for ours, (theirs, _, _) in STANDARD.items()}}


def mapping() -> str:
    types = {name: kind for name, (_, _, kind) in {**KINDS, **STANDARD}.items()}
    rows = [
        f'[[field]]\nprospect = "{ours}"\nlead = "{theirs}"\ncontact = "{theirs}"\n'
        f'type = "{types[ours]}"\nbehavior = "most_recent_field"\n'
        for ours, theirs in NAMES.items()
    ]
    return "\n".join(rows)


@pytest.fixture
def stack(tmp_path: Path):
    with running_stack(tmp_path, mapping=mapping()) as running:
        specs = [{"name": NAMES[ours], **spec} for ours, (_, spec, _) in {**KINDS, **STANDARD}.items()]
        running.admin.load(
            salesforce={"custom_fields": {"Lead": specs, "Contact": specs}},
            account_engagement={
                "custom_fields": [{"name": name, "type": kind} for name, (kind, _, _) in KINDS.items()]
            },
        )
        yield running


def test_every_type_both_ways(stack: Stack) -> None:
    pairs = [make_pair(1, "Lead"), make_pair(2, "Contact")]
    stack.load(pairs)
    stack.start()
    wait_for("the first look", lambda: sum(event["pairs"] for event in stack.events("batch.synced")) >= 2)
    stack.quiet()

    for pair in pairs:
        stack.sales(pair, FROM_SALESFORCE)
    stack.quiet()
    for prospect, _ in stack.values().values():
        assert shown(prospect, THEN_IN_ENGAGEMENT) == THEN_IN_ENGAGEMENT
    for pair in pairs:
        stack.marketing(pair, FROM_ENGAGEMENT)
    stack.quiet()
    for _, person in stack.values().values():
        assert shown(person, THEN_IN_SALESFORCE) == THEN_IN_SALESFORCE
    assert [entry.item for entry in stack.desk()] == []

    stack.marketing(pairs[0], {"Likes__c": [], "Text__c": None, "Met__c": None})
    stack.quiet()
    prospect, _ = stack.values()[1]
    assert (prospect["Likes__c"], prospect["Text__c"]) == (["Golf"], "Genf")


def shown(row: dict, like: dict) -> dict:
    """The values of a dump; instants in their plainest form."""
    values = {name: row.get(name) for name in like}
    met = values.get("Met__c")
    if met:
        values["Met__c"] = datetime.fromisoformat(met).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return values
