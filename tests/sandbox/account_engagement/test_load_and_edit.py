"""Data in and out, edits by people, and settings that make no sense."""

import pytest

from prospect_sync.sandbox.account_engagement import AccountEngagementOrg
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.org_error import OrgError
from prospect_sync.sandbox.users import sandbox_users


def test_a_dump_can_be_loaded_and_gives_the_same_dump(unit):
    dump = unit.org.dump()
    again = AccountEngagementOrg(OrgClock(), users=sandbox_users())
    again.load(dump)
    assert again.dump() == dump
    assert [prospect["id"] for prospect in dump["prospects"]] == [11, 12, 13]
    assert dump["prospects"][0]["Interests__c"] == ["Sailing", "Chess"]
    assert dump["prospects"][2]["isDeleted"] is True


def test_a_dump_shows_the_newest_state_whatever_the_lag(unit):
    unit.org.configure({"lag_seconds": 60})
    unit.patch(11, jobTitle="new")
    assert unit.org.dump()["prospects"][0]["jobTitle"] == "new"


def test_loading_shows_at_once_and_replaces_by_id(unit):
    unit.org.configure({"lag_seconds": 60})
    unit.org.load({"prospects": [{"id": 11, "email": "other@x.example", "createdAt": "2026-10-01T00:00:00Z"}]})
    assert unit.read(11, "email,jobTitle,updatedAt,updatedById") == {
        "email": "other@x.example",
        "jobTitle": None,
        "updatedAt": "2026-10-01T00:00:00+00:00",
        "updatedById": 44,
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"leads": []}, "unknown leads"),
        ({"prospects": [{"id": 1, "nonsense": 2}]}, "there is no field 'nonsense'"),
        ({"custom_fields": [{"name": "A__c", "type": "Colour"}]}, "'Colour' is none of"),
        ({"custom_fields": [{"name": "A", "type": "Text"}]}, "ends in __c"),
        ({"custom_fields": [{"name": "Tier__c", "type": "Number"}]}, "exists already as Dropdown"),
    ],
)
def test_what_load_refuses_in_a_sentence(unit, data, words):
    with pytest.raises(ValueError, match=words):
        unit.org.load(data)
    assert len(unit.org.dump()["prospects"]) == 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"lag": 1}, "unknown lag"), ({"timezone": "Mars"}, "no time zone"), ({"lag_seconds": -1}, "cannot be negative")],
)
def test_what_configure_refuses_in_a_sentence(unit, settings, words):
    with pytest.raises(ValueError, match=words):
        unit.org.configure(settings)


def test_a_person_edits_without_a_call_but_with_stamps(unit):
    unit.clock.step(5)
    assert unit.org.ui_edit("marketing", 11, {"grade": "A+", "phone": "1"}) == "11"
    assert unit.read(11, "grade,phone,updatedAt,updatedById") == {
        "grade": "A+",
        "phone": "1",
        "updatedAt": "2026-11-20T10:00:05+00:00",
        "updatedById": 43,
    }
    assert unit.org.limits.used == 1


def test_a_person_creates_deletes_and_restores(unit):
    assert unit.org.ui_edit("sales", None, {"email": "new@x.example"}, "create") == "14"
    assert unit.read(14, "createdById") == {"createdById": 42}
    unit.org.ui_edit("sales", "14", {}, "delete")
    unit.org.ui_edit("sales", "14", {}, "undelete")
    assert unit.read(14, "isDeleted") == {"isDeleted": False}


def test_a_persons_edit_is_checked_like_any(unit):
    with pytest.raises(OrgError) as refusal:
        unit.org.ui_edit("sales", 11, {"email": "nobody"})
    assert (refusal.value.status, refusal.value.body["code"]) == (400, 4)
    with pytest.raises(OrgError) as refusal:
        unit.org.ui_edit("sales", 11, {"createdById": 1})
    assert refusal.value.body["code"] == 180


def test_an_edit_by_nobody_or_of_no_kind(unit):
    with pytest.raises(ValueError, match="no user 'nobody'"):
        unit.org.ui_edit("nobody", 11, {})
    with pytest.raises(ValueError, match="no action 'merge'"):
        unit.org.ui_edit("sales", 11, {}, "merge")
