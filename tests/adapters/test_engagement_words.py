"""Account Engagement's refusals as bodies were recorded, and the failure each becomes."""

import pytest

from prospect_sync.account_engagement.errors import for_reading, translate
from prospect_sync.errors import Misconfigured, Rejected, Stale, TryLater

LATER = [
    (400, 66, 2, "limit"),
    (429, 66, 2, "limit"),
    (400, 202, 30, "limit"),
    (429, 122, 900, "limit"),
    (400, 122, 900, "limit"),
    (400, 164, 900, "limit"),
    (400, 62, 5, "lock"),
    (500, 183, 30, "outage"),
    (400, 214, 15, "outage"),
    (400, 85, 60, "outage"),
    (400, 244, 60, "outage"),
]


@pytest.mark.parametrize(("status", "code", "delay", "reason"), LATER)
def test_what_passes_says_when_to_come_back(status, code, delay, reason):
    error = translate(status, {"code": code, "message": "not now"})
    assert isinstance(error, TryLater)
    assert (error.delay, error.reason, error.code, error.words) == (delay, reason, str(code), "not now")


@pytest.mark.parametrize("code", [3, 16, 92, 109, 132, 192, 219])
def test_a_prospect_that_is_gone_is_stale(code):
    assert type(translate(404, {"code": code, "message": "gone"})) is Stale


@pytest.mark.parametrize(
    "code", [46, 49, 53, 76, 88, 89, 103, 119, 120, 181, 182, 184, 198, 199, 201, 209, 5, 7, 8, 23]
)
def test_permissions_headers_and_queries_are_misconfigured_as_a_whole(code):
    error = translate(400, {"code": code, "message": "no"})
    assert isinstance(error, Misconfigured)
    assert error.fields == ()


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (4, ("email",)),
        (9, ("email",)),
        (54, ("email",)),
        (10, ("userId",)),
        (38, ("campaignId",)),
        (39, ("profileId",)),
        (61, ("prospectAccountId",)),
        (81, ("salesforceId",)),
        (125, ("userId", "salesforceOwnerId")),
        (98, ()),
        (121, ()),
        (153, ()),
        (9999, ()),
    ],
)
def test_refused_values_are_rejected_and_name_the_sent_fields_they_are_about(code, fields):
    sent = ["email", "userId", "salesforceOwnerId", "campaignId", "profileId", "prospectAccountId", "salesforceId"]
    error = translate(400, {"code": code, "message": "no"}, sent)
    assert isinstance(error, Rejected)
    assert error.fields == fields


def test_a_field_that_was_not_sent_is_not_blamed():
    error = translate(400, {"code": 4, "message": "Invalid prospect email address"}, ["phone"])
    assert isinstance(error, Rejected)
    assert error.fields == ()


@pytest.mark.parametrize("code", [154, 180, 224])
def test_a_field_that_cannot_be_written_is_misconfigured_alone(code):
    error = translate(400, {"code": code, "message": "Invalid or unwritable field: grade"}, ["grade", "phone"])
    assert isinstance(error, Misconfigured)
    assert error.fields == ("grade",)


def test_without_a_name_such_a_refusal_concerns_the_record_and_never_the_connection():
    assert isinstance(translate(400, {"code": 180, "message": "Invalid field"}, ["grade"]), Rejected)


def test_a_bad_number_names_its_field():
    error = translate(400, {"code": 56, "message": "Input needs to be a number: score"}, ["score", "phone"])
    assert isinstance(error, Rejected)
    assert error.fields == ("score",)


@pytest.mark.parametrize(
    ("status", "body", "delay"),
    [
        (429, {"message": "Daily API rate limit met"}, 900),
        (429, {"message": "slow down"}, 30),
        (429, "<html>slow down</html>", 30),
        (503, "<html><h1>Down</h1></html>", 30),
        (500, None, 30),
        (502, [], 30),
    ],
)
def test_statuses_without_a_code(status, body, delay):
    error = translate(status, body)
    assert isinstance(error, TryLater)
    assert error.delay == delay


def test_pages_of_html_become_their_words():
    assert translate(503, "<html><h1>We are\n down</h1></html>").words == "We are down"


def test_the_older_shape_is_read_too():
    error = translate(400, {"@attributes": {"stat": "fail", "err_code": 122}, "err": "Daily API rate limit met"})
    assert (type(error), error.code, error.words) == (TryLater, "122", "Daily API rate limit met")


@pytest.mark.parametrize("body", [{"code": True}, {"code": "x" * 9}, {"code": {}}, {"code": None}, "", 5, [[]]])
def test_strange_bodies_are_told_by_their_status(body):
    assert isinstance(translate(404, body), Stale)
    assert isinstance(translate(403, body), Misconfigured)


def test_reading_is_never_rejected():
    error = for_reading(translate(400, {"code": 56, "message": "Input needs to be a number: score"}, ["score"]))
    assert isinstance(error, Misconfigured)
    assert error.fields == ("score",)
