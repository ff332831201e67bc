"""Prospects over the wire, against the sandbox: reading, writing, paging past every limit, and what goes wrong."""

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from prospect_sync.account_engagement.prospects import AccountEngagementProspects
from prospect_sync.errors import LeaseLost, Misconfigured, Rejected, Stale, TryLater
from prospect_sync.model import Lane, Ref, Side, Stamp
from prospect_sync.ports import Write

ORG = "account_engagement"
PAGE = "^/api/v5/objects/prospects[?]"


def put(sandbox, *prospects, **parts):
    sandbox.admin.load(account_engagement={"prospects": list(prospects), **parts})


def some(number, count, updated="2026-01-01T00:00:00Z", **values):
    created = "2025-01-01T00:00:00Z"
    return [
        {
            "id": number + place,
            "email": f"p{number + place}@a.example",
            "createdAt": created,
            "updatedAt": updated,
            **values,
        }
        for place in range(count)
    ]


def write(prospect_id, **changes):
    return Write(f"intent-{prospect_id}", Ref.prospect(prospect_id), changes)


def only(batches):
    (written,) = [one for batch in batches for one in batch]
    return written


@pytest.fixture
def side(engagement):
    return AccountEngagementProspects(engagement())


def test_a_prospect_is_read_with_its_stamps(sandbox, side, number):
    stamps = {"createdById": 41, "updatedAt": "2026-01-02T03:04:05-05:00", "updatedById": 43}
    put(sandbox, {**some(number, 1)[0], **stamps, "jobTitle": "CTO", "score": 7, "optedOut": True})
    found = side.read([number, number + 5], ["jobTitle", "score", "optedOut", "phone"])
    assert set(found) == {number}
    prospect = found[number]
    assert prospect.values == {"jobTitle": "CTO", "score": 7, "optedOut": True, "phone": None}
    assert prospect.created == Stamp(datetime(2025, 1, 1, tzinfo=UTC), "41")
    assert prospect.modified == Stamp(datetime(2026, 1, 2, 8, 4, 5, tzinfo=UTC), "43")
    assert not prospect.deleted


def test_a_recycled_prospect_is_found_and_marked(sandbox, side, number):
    put(sandbox, {**some(number, 1)[0], "isDeleted": True})
    assert side.read([number], ["email"])[number].deleted


def test_lists_come_with_a_single_read(sandbox, side, number):
    fields = [{"name": "Interests__c", "type": "Multi-Select"}]
    put(sandbox, {**some(number, 1)[0], "Interests__c": ["a", "b"]}, custom_fields=fields)
    assert side.read([number], ["Interests__c"])[number].values == {"Interests__c": ["a", "b"]}


def test_many_reads_never_exceed_five_at_once(sandbox, side, number, budget):
    put(sandbox, *some(number, 20))
    sandbox.admin.latency(20)
    assert len(side.read(range(number, number + 20), ["email"])) == 20
    assert max(overlaps(sandbox.calls(ORG))) == 5
    spent, limit = budget.spent(Side.ACCOUNT_ENGAGEMENT)
    # the answers of five calls at once correct the count in any order, so it may lag behind by those under way
    assert 15 < spent <= 20
    assert limit == 100_000


def test_bulk_work_has_three_places(sandbox, engagement, number):
    put(sandbox, *some(number, 9))
    sandbox.admin.latency(20)
    sandbox.admin.clear_calls()
    AccountEngagementProspects(engagement()).for_lane(Lane.BULK).read(range(number, number + 9), ["email"])
    assert max(overlaps(sandbox.calls(ORG))) == 3


def overlaps(calls):
    """How many calls were under way at the start of each."""
    spans = [(call["started"], call["started"] + call["duration_ms"] / 1000) for call in calls]
    return [sum(begin <= start < end for begin, end in spans) for start, _ in spans]


def test_a_write_shows_how_the_value_was_stored(sandbox, side, patience, number):
    put(sandbox, *some(number, 1))
    sandbox.admin.configure(account_engagement={"reformats": [{"field": "phone", "replace": ["^0171", "+49 171"]}]})
    sandbox.admin.clock("account_engagement", set="2026-03-01T10:00:00+00:00")
    one = write(number, phone="0171 5", jobTitle=None, annualRevenue="12345678901234567.89")
    written = only(side.write([one], patience()))
    assert (written.write, written.error, written.unknown) == (one, None, False)
    assert written.stored == {"phone": "+49 171 5", "jobTitle": None, "annualRevenue": "12345678901234567.89"}
    assert written.modified == Stamp(datetime(2026, 3, 1, 10, tzinfo=UTC), "41")


def test_each_write_is_one_call_and_five_at_once(sandbox, side, patience, number):
    put(sandbox, *some(number, 12))
    sandbox.admin.latency(20)
    writes = [write(number + place, phone=f"00{place}") for place in range(12)]
    written = [one for batch in side.write(writes, patience()) for one in batch]
    assert sorted(one.write.intent_id for one in written) == sorted(one.intent_id for one in writes)
    assert all(one.error is None for one in written)
    assert len(sandbox.calls(ORG)) == 12
    assert max(overlaps(sandbox.calls(ORG))) == 5


def test_refusals_are_of_single_prospects(sandbox, side, patience, number):
    put(sandbox, *some(number, 3), {**some(number + 3, 1)[0], "isDeleted": True})
    writes = [
        write(number, phone="1"),
        write(number + 1, email="nonsense", phone="1"),
        write(number + 2, grade="A", phone="1"),
        write(number + 3, phone="1"),
        write(number + 9, phone="1"),
        write(number + 4, phone="\ud800", city="x"),
    ]
    found = {int(one.write.ref.id) - number: one for batch in side.write(writes, patience()) for one in batch}
    assert found[0].error is None
    assert isinstance(found[1].error, Rejected)
    assert found[1].error.fields == ("email",)
    assert isinstance(found[2].error, Misconfigured)
    assert found[2].error.fields == ("grade",)
    assert isinstance(found[3].error, Stale)
    assert isinstance(found[9].error, Stale)
    assert isinstance(found[4].error, Rejected)
    assert found[4].error.fields == ("phone",)
    assert not any(one.unknown for one in found.values())


LOST = [
    {"do": "drop_after"},
    {"do": "answer_after", "status": 500, "body": "<html>"},
    {"do": "answer_after", "status": 500, "body": {"code": 183, "message": "Internal error"}},
    {"do": "answer_after", "status": 200, "body": "<html>"},
]


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_unknown_and_never_sent_again(sandbox, side, patience, number, fault):
    put(sandbox, *some(number, 1))
    sandbox.admin.faults({**fault, "org": ORG, "method": "PATCH"})
    written = only(side.write([write(number, phone="77")], patience()))
    assert written.unknown
    assert isinstance(written.error, TryLater)
    assert len(sandbox.calls(ORG)) == 1
    sandbox.admin.clear_faults()
    assert side.read([number], ["phone"])[number].values == {"phone": "77"}


def test_a_refused_write_is_known(sandbox, side, patience, number):
    put(sandbox, *some(number, 1))
    sandbox.admin.configure(account_engagement={"refusals": {str(number): {"code": 85, "times": 1}}})
    written = only(side.write([write(number, phone="77")], patience()))
    assert not written.unknown
    assert isinstance(written.error, TryLater)
    assert written.error.code == "85"


def test_a_budget_that_fails_after_the_call_does_not_make_a_committed_write_look_unsent(
    sandbox, side, patience, number, budget, monkeypatch
):
    put(sandbox, *some(number, 1, jobTitle="CEO"))

    def away(*_: object) -> None:
        raise TryLater("Redis does not answer", delay=5)

    monkeypatch.setattr(budget, "usage", away)
    written = only(side.write([write(number, jobTitle="CTO")], patience()))
    assert written.error is None
    assert side.read([number], ["jobTitle"])[number].values == {"jobTitle": "CTO"}


def test_an_address_nobody_listens_on_is_not_a_lost_answer(engagement, patience, number):
    side = AccountEngagementProspects(engagement(base_url="https://127.0.0.1:9"))
    written = only(side.write([write(number, phone="77")], patience()))
    assert isinstance(written.error, TryLater)
    assert not written.unknown


def test_a_foreign_certificate_is_misconfigured(engagement):
    with pytest.raises(Misconfigured, match="certificate"):
        AccountEngagementProspects(engagement(ca_file=None)).read([1], ["email"])


def test_a_lost_lease_ends_writing_after_what_is_under_way(sandbox, side, patience, number):
    put(sandbox, *some(number, 9))
    written = []
    batches = side.write([write(number + place, phone="5") for place in range(9)], patience(calls=4))
    with pytest.raises(LeaseLost):
        written.extend(one for batch in batches for one in batch)
    assert len(written) == 4
    assert all(one.error is None for one in written)
    assert len(sandbox.calls(ORG)) == 4


def test_an_expired_token_is_renewed_once_and_the_call_repeated_whole(sandbox, engagement, patience, number):
    put(sandbox, *some(number, 1))
    client = engagement(sandbox.token("marketing"), sandbox.token("connector"))
    sandbox.admin.expire_tokens("marketing")
    written = only(AccountEngagementProspects(client).write([write(number, phone="5")], patience()))
    assert (written.error, written.stored) == (None, {"phone": "5"})
    assert [call["status"] for call in sandbox.calls(ORG)] == [401, 200]


@pytest.mark.parametrize("body", [{"code": 184, "message": "bad"}, "<html>no</html>", [], None, {"error": "x"}])
def test_a_permanent_refusal_of_tokens_ends(sandbox, engagement, patience, number, body):
    sandbox.admin.faults({"do": "answer", "org": ORG, "status": 401, "body": body})
    side = AccountEngagementProspects(engagement(sandbox.token("sales"), sandbox.token("connector")))
    with pytest.raises(Misconfigured, match="fresh token"):
        side.read([number], ["email"])
    assert len(sandbox.calls(ORG)) == 2
    written = only(side.write([write(number, phone="5")], patience()))
    assert isinstance(written.error, Misconfigured)
    assert not written.unknown


def test_a_wrong_business_unit_is_misconfigured(engagement):
    side = AccountEngagementProspects(engagement(business_unit_id="0Uv000000000001AAA"))
    with pytest.raises(Misconfigured) as caught:
        side.read([1], ["email"])
    assert caught.value.code == "201"


def test_reads_are_repeated_for_a_moments_trouble(sandbox, side, number, clock):
    put(sandbox, *some(number, 1))
    sandbox.admin.faults(
        {"do": "answer", "org": ORG, "status": 503, "body": "<html>busy</html>", "count": 1},
        {"do": "drop", "org": ORG, "count": 1},
    )
    before = clock.now()
    assert number in side.read([number], ["email"])
    assert 0.5 <= (clock.now() - before).total_seconds() < 5


def test_longer_trouble_is_the_queues(sandbox, side, number):
    sandbox.admin.faults({"do": "answer", "org": ORG, "status": 200, "body": "<html>login</html>"})
    with pytest.raises(TryLater):
        side.read([number], ["email"])
    assert len(sandbox.calls(ORG)) == 3


def test_the_days_limit_is_not_hammered(sandbox, side, number, budget):
    sandbox.admin.configure(account_engagement={"daily_limit": 25_000, "calls_used": 25_000})
    with pytest.raises(TryLater) as caught:
        side.read([number], ["email"])
    assert (caught.value.reason, caught.value.delay) == ("limit", 900)
    assert len(sandbox.calls(ORG)) == 1
    assert budget.spent(Side.ACCOUNT_ENGAGEMENT) == (25_000, 25_000)


@pytest.mark.parametrize(
    "body",
    [
        {"values": 5},
        {"values": [5]},
        {"values": [{"id": None}]},
        {"values": [{"id": 5, "updatedAt": "soon"}]},
        {"values": [{"id": "abc"}]},
        [],
        5,
    ],
)
def test_strange_answers_come_later_and_never_as_a_traceback(sandbox, side, body):
    sandbox.admin.faults({"do": "answer", "org": ORG, "status": 200, "body": body})
    with pytest.raises(TryLater):
        list(side.changed(datetime(2026, 1, 1, tzinfo=UTC), ["email"]))


def test_a_write_whose_success_shows_nothing_readable_is_still_a_success(sandbox, side, patience, number):
    sandbox.admin.faults({"do": "answer", "org": ORG, "method": "PATCH", "status": 200, "body": {"updatedAt": "soon"}})
    written = only(side.write([write(number, phone="5")], patience()))
    assert (written.error, written.stored, written.modified) == (None, None, Stamp())


# ---- changes


def changes(side, since, fields=("email",)):
    pages = list(side.changed(since, fields))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    return pages, [row for page in pages for row in page.rows]


def test_changes_since_an_instant_with_the_vendors_clock(sandbox, side, number):
    put(
        sandbox,
        *some(number, 3, "2031-01-01T00:00:00Z"),
        {**some(number + 3, 1, "2031-01-01T00:00:01Z")[0], "isDeleted": True},
    )
    sandbox.admin.clock(ORG, set="2031-06-01T10:00:00+00:00")
    pages, rows = changes(side, datetime(2031, 1, 1, tzinfo=UTC))
    assert {row.id - number: row.deleted for row in rows} == {0: False, 1: False, 2: False, 3: True}
    assert datetime(2031, 6, 1, 9, 59, 58, tzinfo=UTC) <= pages[0].read_at <= datetime(2031, 6, 1, 10, tzinfo=UTC)
    assert changes(side, datetime(2031, 1, 1, 0, 0, 2, tzinfo=UTC))[1] == []


def test_pages_of_a_thousand_by_token(sandbox, side, number):
    put(sandbox, *some(number, 2_500, "2032-01-01T00:00:00Z"))
    pages, rows = changes(side, datetime(2032, 1, 1, tzinfo=UTC))
    assert [len(page.rows) for page in pages] == [1_000, 1_000, 500]
    assert {row.id for row in rows} == set(range(number, number + 2_500))
    assert len(sandbox.calls(ORG)) == 3


def test_a_chain_that_ends_early_is_begun_again_at_the_last_instant(sandbox, side, number):
    """The limit of a chain is set to 2,000 records; 500 of them share each second."""
    sandbox.admin.configure(account_engagement={"chain_cap": 2_000})
    stamps = [f"2033-01-01T00:00:{place // 500:02d}Z" for place in range(5_000)]
    put(sandbox, *({**one, "updatedAt": at} for one, at in zip(some(number, 5_000), stamps, strict=True)))
    _, rows = changes(side, datetime(2033, 1, 1, tzinfo=UTC))
    assert [row.id for row in rows] == list(range(number, number + 5_000))


def test_one_second_that_fills_a_whole_chain_is_read_by_ids(sandbox, side, number):
    sandbox.admin.configure(account_engagement={"chain_cap": 1_000})
    put(sandbox, *some(number, 3_500, "2034-01-01T00:00:00Z"), *some(number + 4_000, 10, "2034-01-01T00:00:07Z"))
    _, rows = changes(side, datetime(2034, 1, 1, tzinfo=UTC))
    assert len(rows) == 3_510
    assert {row.id for row in rows} == {*range(number, number + 3_500), *range(number + 4_000, number + 4_010)}


def test_exactly_one_full_page_ends(sandbox, side, number):
    put(sandbox, *some(number, 1_000, "2035-01-01T00:00:00Z"))
    _, rows = changes(side, datetime(2035, 1, 1, tzinfo=UTC))
    assert len(rows) == 1_000


@pytest.mark.parametrize("code", [210, 211])
def test_a_page_token_no_longer_taken_is_no_loss(sandbox, side, number, code):
    stamps = [f"2036-01-{code - 200}T00:{place // 60 % 60:02d}:{place % 60:02d}Z" for place in range(2_500)]
    put(sandbox, *({**one, "updatedAt": at} for one, at in zip(some(number, 2_500), stamps, strict=True)))
    refusal = {"code": code, "message": "no such page"}
    sandbox.admin.faults(
        {"do": "answer", "org": ORG, "path": "nextPageToken", "status": 400, "body": refusal, "count": 2}
    )
    _, rows = changes(side, datetime(2036, 1, code - 200, tzinfo=UTC))
    assert sorted(row.id for row in rows if row.id >= number) == list(range(number, number + 2_500))


def test_page_tokens_that_are_never_taken_do_not_matter_either(sandbox, side, number):
    put(sandbox, *some(number, 2_500, "2037-01-01T00:00:00Z"), *some(number + 3_000, 5, "2037-01-01T00:00:09Z"))
    sandbox.admin.faults({"do": "answer", "org": ORG, "path": "nextPageToken", "status": 400, "body": {"code": 210}})
    _, rows = changes(side, datetime(2037, 1, 1, tzinfo=UTC))
    assert len(rows) == len({row.id for row in rows}) == 2_505


def test_a_field_that_cannot_be_queried_is_named(sandbox, side, number):
    put(sandbox, custom_fields=[{"name": "Wishes__c", "type": "Multi-Select"}])
    with pytest.raises(Misconfigured) as caught:
        changes(side, datetime(2038, 1, 1, tzinfo=UTC), ["email", "Wishes__c"])
    assert caught.value.fields == ("Wishes__c",)


def test_five_threads_that_meet_one_expired_token_all_go_on(sandbox, engagement, number):
    put(sandbox, *some(number, 10))
    client = engagement(expired_token(sandbox), sandbox.token("connector"))
    assert len(AccountEngagementProspects(client).read(range(number, number + 10), ["email"])) == 10


def expired_token(sandbox):
    token = sandbox.token("connector")
    return type(token)("00D000000000000!expired", token.instance_url)


def test_a_client_may_be_shared_by_threads(sandbox, engagement, number):
    put(sandbox, *some(number, 5))
    side = AccountEngagementProspects(engagement())
    found = []
    threads = [
        threading.Thread(target=lambda one=one: found.append(side.read([one], ["email"])))
        for one in range(number, number + 5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert {key for one in found for key in one} == set(range(number, number + 5))


def test_numbers_with_a_fraction_are_exact(sandbox, side, number):
    put(sandbox, {**some(number, 1)[0], "Rate__c": 0.1}, custom_fields=[{"name": "Rate__c", "type": "Number"}])
    assert side.read([number], ["Rate__c"])[number].values == {"Rate__c": Decimal("0.1")}
